/** What the daemon shows of itself: plain JSON, the contract between it and every client. */

export type JobStatus =
  | 'created'
  | 'pending'
  | 'running'
  | 'success'
  | 'failed'
  | 'canceled'
  | 'skipped'
  | 'manual'
  | 'scheduled'
  | 'waiting_for_resource';

export type PipelineStatus = 'created' | 'running' | 'success' | 'failed' | 'canceled' | 'skipped' | 'manual';

export interface JobView {
  readonly name: string;
  readonly stage: string;
  readonly status: JobStatus;
  readonly allowFailure: boolean;
  /** Why it failed, was skipped or passed with a warning, one line; undefined when there is nothing to say. */
  readonly reason: string | undefined;
  readonly exitCode: number | undefined;
  readonly startedAt: number | undefined;
  readonly durationMs: number | undefined;
  readonly coverage: number | undefined;
  readonly environment: string | undefined;
  readonly attempt: number;
  /** Honest remarks: a stand-in was used, a gate could not check. */
  readonly notes: readonly string[];
}

export interface RunView {
  readonly id: number;
  readonly project: string;
  readonly ref: string;
  readonly sha: string;
  readonly title: string;
  readonly source: string;
  readonly status: PipelineStatus;
  readonly createdAt: number;
  readonly durationMs: number | undefined;
  readonly stages: readonly string[];
  readonly jobs: readonly JobView[];
}

export interface EnvironmentView {
  readonly name: string;
  readonly slug: string;
  readonly url: string | undefined;
  readonly state: 'available' | 'stopping' | 'stopped';
  readonly tier: string;
  readonly namespace: string;
  readonly ref: string;
  /** ISO 8601. */
  readonly deployed_at: string | undefined;
}

export interface PlatformView {
  readonly version: string;
  readonly pid: number;
  readonly home: string;
  readonly startedAt: number;
  readonly registry: { readonly address: string; readonly username: string };
  readonly cluster: { readonly address: string; readonly nodes: number; readonly pods: number };
  readonly ingress: { readonly domain: string; readonly port: number };
  readonly runs: { readonly active: number };
}

export interface ProblemView {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly suggestion?: string;
}

/** A fault on the wire: HTTP status 4xx or 5xx with this body. */
export interface FaultView {
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
  readonly problems?: readonly ProblemView[];
}
