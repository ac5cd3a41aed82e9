import type { FailureReason } from '../scheduler/state.ts';

/** How a job ended. A value: a failing script is no fault of ours. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly reason: string }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'timedOut'; readonly afterSeconds: number }
  /** The machine, an image or a remote: the script never had its chance. */
  | { readonly kind: 'couldNotRun'; readonly why: FailureReason; readonly message: string };

/** What a job leaves behind besides files. */
export interface JobResult {
  readonly outcome: Outcome;
  readonly coverage: number | undefined;
  readonly notes: readonly string[];
  /** Variables from `artifacts:reports:dotenv`. */
  readonly dotenv: Readonly<Record<string, string>>;
  readonly environmentUrl: string | undefined;
}

/** The word CI_JOB_STATUS has in after_script. */
export function statusWord(outcome: Outcome): 'success' | 'failed' | 'canceled' {
  if (outcome.kind === 'passed') return 'success';
  return outcome.kind === 'canceled' ? 'canceled' : 'failed';
}
