import type { Job } from '../../kinds/batch.ts';
import type { Tally } from './tally.ts';
import { isIndexed } from './tally.ts';
import { parseIndexes } from './indexes.ts';

/** How a job has ended, or is about to: its pods still have to go. */
export interface Outcome {
  readonly kind: 'SuccessCriteriaMet' | 'FailureTarget';
  readonly reason: string;
  readonly message: string;
}

const DEFAULT_BACKOFF_LIMIT = 6;

const failed = (reason: string, message: string): Outcome => ({ kind: 'FailureTarget', reason, message });

/** undefined: it goes on. */
export function outcomeOf(job: Job, tally: Tally, ranMs: number): Outcome | undefined {
  return decided(job) ?? failureOf(job, tally, ranMs) ?? successOf(job, tally);
}

/** What was said once is not taken back, whatever its pods do on their way out. */
function decided({ status }: Job): Outcome | undefined {
  for (const kind of ['FailureTarget', 'SuccessCriteriaMet'] as const) {
    const condition = status?.conditions?.find((one) => one.type === kind && one.status === 'True');
    if (condition) return { kind, reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

function failureOf(job: Job, tally: Tally, ranMs: number): Outcome | undefined {
  const { activeDeadlineSeconds, maxFailedIndexes, completions = 0 } = job.spec;
  if (tally.fatal) return failed('PodFailurePolicy', tally.fatal.message);
  if (isPastBackoff(job, tally)) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (activeDeadlineSeconds !== undefined && ranMs >= activeDeadlineSeconds * 1000) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  const lost = tally.failedIndexes.size;
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return failed('MaxFailedIndexesExceeded', message);
  }
  return lost > 0 && lost + tally.completedIndexes.size >= completions
    ? failed('FailedIndexes', 'Job has failed indexes')
    : undefined;
}

function isPastBackoff(job: Job, tally: Tally): boolean {
  // Where each index has a limit of its own, the common one is not set and means nothing.
  const common = job.spec.backoffLimitPerIndex === undefined ? DEFAULT_BACKOFF_LIMIT : Infinity;
  const limit = job.spec.backoffLimit ?? common;
  if (tally.failed > limit) return true;
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false;
  const restarts = tally.active
    .flatMap(({ status }) => [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function successOf(job: Job, tally: Tally): Outcome | undefined {
  const rule = isIndexed(job) ? matchedRule(job, tally.completedIndexes) : -1;
  if (rule >= 0) {
    const message = `Matched rules at index ${rule}`;
    return { kind: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message };
  }
  const { completions } = job.spec;
  const done =
    completions === undefined
      ? tally.succeeded > 0 && tally.active.length === 0
      : tally.succeeded >= completions;
  const message = 'Reached expected number of succeeded pods';
  return done ? { kind: 'SuccessCriteriaMet', reason: 'CompletionsReached', message } : undefined;
}

/** The first rule of the success policy that is met; -1: none. */
function matchedRule({ spec }: Job, done: ReadonlySet<number>): number {
  return (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const among =
      succeededIndexes === undefined ? done : parseIndexes(succeededIndexes, spec.completions ?? 0);
    const met = [...among].filter((index) => done.has(index)).length;
    return met >= (succeededCount ?? Math.max(1, among.size));
  });
}
