import type { FailureReason, JobProgress, JobState } from './state.ts';

interface Failure {
  readonly why: FailureReason;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

/** What a job is after a failed attempt: failed, or to be tried again. */
export function afterFailure(
  job: JobState,
  failure: Failure,
  canceling: boolean,
): 'again' | Partial<JobProgress> {
  if (!canceling && mayRetry(job, failure)) return 'again';
  const { exitCode, reason } = failure;
  return { status: 'failed', exitCode, reason, failureAllowed: isAllowed(job, exitCode) };
}

/** `retry:max` tries more, when the reason or the exit code is one of those named (no list: any failure). */
function mayRetry(job: JobState, failure: Failure): boolean {
  const { max, when, exitCodes } = job.plan.retry;
  if (job.attempt > max) return false;
  const anyReason = (when.length === 0 && exitCodes.length === 0) || when.includes('always');
  if (anyReason || when.includes(failure.why)) return true;
  return failure.exitCode !== undefined && exitCodes.includes(failure.exitCode);
}

function isAllowed(job: JobState, exitCode: number | undefined): boolean {
  const { allowFailure } = job.plan;
  if (typeof allowFailure === 'boolean') return allowFailure;
  return exitCode !== undefined && allowFailure.exitCodes.includes(exitCode);
}
