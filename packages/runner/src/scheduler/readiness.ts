import { isActive } from './state.ts';
import type { JobState, SchedulerState } from './state.ts';

/**
 * What the jobs before a job have come to:
 * `waiting` — something may still run; `success` — go on; `failed` — one failed and that was not allowed;
 * `skipped` — one that is needed was skipped or canceled.
 */
export type Before = 'waiting' | 'success' | 'failed' | 'skipped';

export interface Readiness {
  readonly before: Before;
  /** The job to blame for `failed`, `skipped` or an endless wait. */
  readonly because: string | undefined;
}

/** A manual job nobody has played yet that holds up those behind it (GitLab: blocked). */
export const isBlocking = (job: JobState): boolean =>
  job.status === 'manual' && job.plan.allowFailure !== true;

/** By stages when the job names no needs, by its needs otherwise (they may lie in its own stage). */
export function readiness(state: SchedulerState, job: JobState): Readiness {
  return job.plan.needs === undefined ? byStages(state, job) : byNeeds(state, job.plan.needs);
}

function byStages(state: SchedulerState, job: JobState): Readiness {
  const rank = state.stages.indexOf(job.plan.stage);
  const earlier = state.jobs.filter((other) => state.stages.indexOf(other.plan.stage) < rank);
  const waiting = earlier.find(
    (other) => other.status === 'created' || isActive(other.status) || isBlocking(other),
  );
  if (waiting) return { before: 'waiting', because: waiting.plan.name };
  const failed = earlier.find((other) => hasFailed(other));
  if (failed) return { before: 'failed', because: failed.plan.name };
  const canceled = earlier.find((other) => other.status === 'canceled' && other.plan.allowFailure !== true);
  if (canceled) return { before: 'skipped', because: canceled.plan.name };
  return { before: 'success', because: undefined };
}

function byNeeds(state: SchedulerState, needs: readonly { job: string }[]): Readiness {
  const needed = state.jobs.filter((other) => needs.some((need) => need.job === other.plan.name));
  const waiting = needed.find(
    (other) => other.status === 'created' || isActive(other.status) || other.status === 'manual',
  );
  if (waiting) return { before: 'waiting', because: waiting.plan.name };
  const failed = needed.find((other) => hasFailed(other));
  if (failed) return { before: 'failed', because: failed.plan.name };
  const skipped = needed.find((other) => other.status === 'skipped' || other.status === 'canceled');
  if (skipped) return { before: 'skipped', because: skipped.plan.name };
  return { before: 'success', because: undefined };
}

const hasFailed = (job: JobState): boolean => job.status === 'failed' && !job.failureAllowed;
