import type { JobStatus } from '../scheduler/state.ts';

/** A job of a run, as it is shown and kept. */
export interface JobRecord {
  readonly name: string;
  readonly stage: string;
  readonly status: JobStatus;
  /** Its failure does not fail the pipeline (as declared, or by its exit code once it has failed). */
  readonly allowFailure: boolean;
  readonly reason: string | undefined;
  readonly exitCode: number | undefined;
  readonly startedAt: number | undefined;
  readonly durationMs: number | undefined;
  readonly coverage: number | undefined;
  readonly environment: string | undefined;
  readonly attempt: number;
  readonly notes: readonly string[];
}

export type RunStatus = 'created' | 'running' | 'success' | 'failed' | 'canceled' | 'skipped' | 'manual';

/** A run of a pipeline, as it is shown and kept. */
export interface RunRecord {
  readonly id: number;
  readonly projectDir: string;
  readonly project: string;
  readonly ref: string;
  readonly sha: string;
  readonly title: string;
  readonly source: string;
  readonly status: RunStatus;
  readonly createdAt: number;
  readonly durationMs: number | undefined;
  readonly stages: readonly string[];
  readonly jobs: readonly JobRecord[];
}

/** What happens in a run, in order. */
export type RunnerEvent =
  | { readonly type: 'run'; readonly run: RunRecord }
  | { readonly type: 'job'; readonly job: JobRecord }
  | { readonly type: 'log'; readonly job: string; readonly seq: number; readonly text: string }
  | { readonly type: 'finished'; readonly run: RunRecord };
