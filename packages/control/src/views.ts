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
  readonly artifacts?: ArtifactsView | undefined;
  readonly reports?: readonly ReportView[];
  /** The run that its `trigger` has started. */
  readonly childRun?: number | undefined;
  /** What to ask before the job is started by hand. */
  readonly confirmation?: string | undefined;
}

export interface ArtifactsView {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly exposeAs: string | undefined;
  /** Milliseconds since 1970; undefined: kept as long as the run. */
  readonly expiresAt: number | undefined;
}

/** What a report says; `type` is its keyword below `artifacts:reports`. */
export type ReportView = {
  readonly type: string;
  readonly files: number;
  readonly problems: readonly string[];
} & (
  | {
      readonly kind: 'tests';
      readonly tests: number;
      readonly failures: number;
      readonly errors: number;
      readonly skipped: number;
      readonly seconds: number;
      readonly failed: readonly {
        readonly suite: string;
        readonly name: string;
        readonly kind: 'failure' | 'error';
        readonly message: string;
      }[];
    }
  | {
      readonly kind: 'coverage';
      /** From 0 to 1. */
      readonly lineRate: number | undefined;
      readonly linesCovered: number | undefined;
      readonly linesValid: number | undefined;
    }
  | {
      readonly kind: 'findings';
      readonly total: number;
      readonly bySeverity: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'kept' }
);

export interface RunView {
  readonly id: number;
  /** Top folder of its repository. */
  readonly projectDir: string;
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
  /** A child pipeline: the run and the job that started it. */
  readonly parent?: { readonly run: number; readonly job: string } | undefined;
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
  /** Where the project lies that deployed it. Names are unique there only. */
  readonly project_dir: string;
  /** `host:port` of the API server; absent: the embedded cluster. */
  readonly cluster?: string;
}

export interface PlatformView {
  readonly version: string;
  readonly pid: number;
  readonly home: string;
  readonly startedAt: number;
  readonly registry: { readonly address: string; readonly username: string };
  readonly cluster: { readonly address: string; readonly nodes: number; readonly pods: number };
  /** `tlsPort` is `port` where HTTPS has none of its own. */
  readonly ingress: { readonly domain: string; readonly port: number; readonly tlsPort: number };
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
  /** The files that included `file`, outermost first. */
  readonly includedFrom?: readonly string[];
}

/** A fault on the wire: HTTP status 4xx or 5xx with this body. */
export interface FaultView {
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
  readonly problems?: readonly ProblemView[];
}
