import type { FailureReason } from '../scheduler/state.ts';
import type { ReportSummary } from './reports/summary.ts';

/** How a job ended. A value: a failing script is no fault of ours. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly reason: string }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'timedOut'; readonly afterSeconds: number }
  /** The machine, an image or a remote: the script never had its chance. */
  | { readonly kind: 'couldNotRun'; readonly why: FailureReason; readonly message: string };

/** The files a job keeps, as it is shown; beside them in the job's folder as `artifacts.json`. */
export interface ArtifactsRecord {
  /** `artifacts:name`, expanded; GitLab's default is `artifacts`. */
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** `expose_as`: how a merge request calls the link. */
  readonly exposeAs: string | undefined;
  /** Milliseconds since 1970; undefined: `expire_in: never`. */
  readonly expiresAt: number | undefined;
}

/** What `release` would make in GitLab; here it is only recorded. */
export interface ReleaseRecord {
  readonly tagName: string;
  readonly name: string;
  readonly description: string;
  /** The commit or branch that the tag would be made of. */
  readonly ref: string;
  readonly tagMessage: string | undefined;
  readonly createdAt: string;
}

/** What a job leaves behind besides files. */
export interface JobResult {
  readonly outcome: Outcome;
  readonly coverage: number | undefined;
  readonly notes: readonly string[];
  /** Variables from `artifacts:reports:dotenv`. */
  readonly dotenv: Readonly<Record<string, string>>;
  readonly environmentUrl: string | undefined;
  readonly artifacts: ArtifactsRecord | undefined;
  readonly reports: readonly ReportSummary[];
  readonly release: ReleaseRecord | undefined;
}

/** The word CI_JOB_STATUS has in after_script. */
export function statusWord(outcome: Outcome): 'success' | 'failed' | 'canceled' {
  if (outcome.kind === 'passed') return 'success';
  return outcome.kind === 'canceled' ? 'canceled' : 'failed';
}
