import type { ArtifactsRecord, ReleaseRecord } from '../job/outcome.ts';
import type { ReportSummary } from '../job/reports/summary.ts';
import type { EndStatus, JobStatus } from '../scheduler/state.ts';

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
  readonly artifacts?: ArtifactsRecord | undefined;
  readonly reports?: readonly ReportSummary[];
  readonly release?: ReleaseRecord | undefined;
  /** The run that its `trigger` has started. */
  readonly childRun?: number | undefined;
  /** What GitLab asks before it starts the job by hand. */
  readonly confirmation?: string | undefined;
}

/** What later jobs need of a finished one and nobody is shown. */
export interface JobMemory {
  readonly dotenv: Readonly<Record<string, string>>;
  readonly environmentUrl: string | undefined;
  readonly played: boolean;
}

export type RunStatus = 'created' | 'running' | EndStatus;

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
  /** Of all the time that the run was at work. */
  readonly durationMs: number | undefined;
  readonly stages: readonly string[];
  readonly jobs: readonly JobRecord[];
  /** A child pipeline: the run and the job that started it. */
  readonly parent?: { readonly run: number; readonly job: string } | undefined;
}

/** What happens in a run and in those it has started, in order; `run` says in which. */
export type RunnerEvent =
  | { readonly type: 'run'; readonly run: RunRecord }
  | { readonly type: 'job'; readonly run: number; readonly job: JobRecord }
  | {
      readonly type: 'log';
      readonly run: number;
      readonly job: string;
      readonly seq: number;
      readonly text: string;
    }
  | { readonly type: 'finished'; readonly run: RunRecord };
