import { kindOf } from './tally.ts';
import type { Tally } from './tally.ts';
import type { JobState, PlannedJob } from './state.ts';

/** What a job becomes when its turn has come. */
export type Turn = 'pending' | 'manual' | 'scheduled' | 'skipped';

/**
 * What those before a job have come to, for that job; `waiting`: something may still run or be started. A need that was
 * skipped or is an optional manual job nobody has started skips the job at once.
 */
export type Before = 'waiting' | 'success' | 'failed' | 'canceled' | 'skipped';

export function beforeByNeeds(needed: Tally, job: JobState): Before {
  const missing = needed.has('skipped') || needed.has('ignored');
  if (missing && job.plan.when !== 'always') return 'skipped';
  if (needed.has('open') || needed.has('manual')) return 'waiting';
  return missing ? 'skipped' : settled(needed);
}

/** For jobs without needs, of all stages before theirs. What is left of GitLab's composite status when nothing is open and nothing blocks. */
export function settled(tally: Tally): Exclude<Before, 'waiting'> {
  if (tally.isEmpty) return 'success';
  const status = tally.status();
  return status === 'manual' ? 'skipped' : status;
}

/** GitLab's table of `when` against what was before; stages that did not run hold nobody up, needs do. */
export function turnOf({ plan, played }: JobState, before: Exclude<Before, 'waiting'>): Turn {
  if (!mayRun(plan, before)) return 'skipped';
  if (played) return 'pending';
  if (plan.when === 'manual') return 'manual';
  return plan.when === 'delayed' ? 'scheduled' : 'pending';
}

function mayRun({ when, needs }: PlannedJob, before: Exclude<Before, 'waiting'>): boolean {
  if (when === 'always') return before !== 'canceled';
  if (when === 'on_failure') return before === 'failed';
  return before === 'success' || (before === 'skipped' && needs === undefined);
}

/** One line for a job that is skipped. @param blame the first job before it that is no success */
export function skipReason({ plan }: JobState, blame: JobState | undefined): string {
  if (plan.when === 'on_failure' && !(blame && kindOf(blame) === 'skipped')) {
    return 'runs only after a failure, and nothing failed';
  }
  if (!blame) return 'what it waits for did not run';
  const { name } = blame.plan;
  if (blame.status === 'manual') return `waits for ${name}, which nobody has started`;
  if (blame.status === 'failed') return `${name} failed`;
  return blame.status === 'canceled' ? `${name} was canceled` : `${name} did not run`;
}
