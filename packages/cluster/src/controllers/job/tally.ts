import type { Job } from '../../kinds/batch.ts';
import type { Pod } from '../../kinds/pod.ts';
import { selects } from '../../kinds/selectors.ts';
import type { ControllerContext } from '../controller.ts';
import { claim, isControlledBy } from '../ownership.ts';
import { isFinished, isReady, isTerminating } from '../pods.ts';
import { judgeFailure } from './failure-policy.ts';
import type { FailureVerdict } from './failure-policy.ts';
import { parseIndexes } from './indexes.ts';

export const INDEX = 'batch.kubernetes.io/job-completion-index';
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

/** The job's pods that have not ended. */
export interface Living {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: readonly Pod[];
}

/** What a job's pods have come to. */
export interface Tally extends Living {
  readonly succeeded: number;
  readonly failed: number;
  /** Of the pods that are still there, the failed ones whose failure counts. */
  readonly failures: readonly Pod[];
  /** The first failure that a rule says ends the job. */
  readonly fatal: FailureVerdict | undefined;
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
}

export const isIndexed = ({ spec }: Job) => spec.completionMode === 'Indexed';

export function indexOf({ metadata }: Pod): number {
  return Number(metadata.annotations?.[INDEX] ?? -1);
}

/** Does the pod's end count as a failure? One that is taken away does, unless the job asked for that itself. */
function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  const counts = job.spec.podReplacementPolicy !== 'Failed' && !job.spec.suspend;
  return counts && isTerminating(pod) && pod.status?.phase !== 'Succeeded';
}

/**
 * Counts ends of pods, each once, whether or not the pod is still there afterwards. Which ones are counted is known
 * as long as the process lives; after a restart the numbers in the status are taken as they are.
 */
export class EndsCounter {
  readonly #counted = new Map<string, Map<string, Set<string>>>();

  /** The total of such ends: what the status says and what is new. */
  total(job: Job, kind: 'succeeded' | 'failed', ended: readonly Pod[]): number {
    const before = job.status?.[kind] ?? 0;
    const isFirst = this.#counted.get(job.metadata.uid)?.has(kind) !== true;
    const fresh = this.note(job, kind, ended);
    return isFirst ? Math.max(before, ended.length) : before + fresh;
  }

  /** Takes these ends as counted; gives how many of them were not yet. */
  note(job: Job, kind: 'succeeded' | 'failed', pods: readonly Pod[]): number {
    const kinds = this.#counted.get(job.metadata.uid) ?? new Map<string, Set<string>>();
    this.#counted.set(job.metadata.uid, kinds);
    const known = kinds.get(kind) ?? new Set<string>();
    kinds.set(kind, known);
    const fresh = pods.filter(({ metadata }) => !known.has(metadata.uid));
    for (const { metadata } of fresh) known.add(metadata.uid);
    return fresh.length;
  }

  forget(job: string): void {
    this.#counted.delete(job);
  }
}

/** A job whose own pods would not be selected lets none of them go: it would make new ones for ever. */
function podsOf({ objects }: ControllerContext, job: Job): Pod[] {
  const { selector, template } = job.spec;
  if (selects(selector, template.metadata?.labels)) return claim(objects, 'pods', job);
  return objects.list('pods', job.metadata.namespace).filter((pod) => isControlledBy(pod, job));
}

export function livingOf(context: ControllerContext, job: Job): Living {
  const pods = podsOf(context, job).filter((pod) => !isFinished(pod));
  const active = pods.filter((pod) => !isTerminating(pod));
  return { active, ready: active.filter(isReady).length, terminating: pods.filter(isTerminating) };
}

export function tallyOf(context: ControllerContext, counter: EndsCounter, job: Job): Tally {
  const pods = podsOf(context, job);
  const winners = pods.filter(({ status }) => status?.phase === 'Succeeded');
  const losers = pods
    .filter((pod) => hasFailed(job, pod))
    .map((pod) => ({ pod, verdict: judgeFailure(job, pod) }));
  const failures = losers.filter(({ verdict }) => verdict.action !== 'Ignore').map(({ pod }) => pod);
  const completedIndexes = indexesDone(job, winners);
  return {
    ...livingOf(context, job),
    succeeded: isIndexed(job) ? completedIndexes.size : counter.total(job, 'succeeded', winners),
    failed: counter.total(job, 'failed', failures),
    failures,
    fatal: losers.find(({ verdict }) => verdict.action === 'FailJob')?.verdict,
    completedIndexes,
    failedIndexes: indexesLost(job, failures, completedIndexes),
  };
}

function indexesDone(job: Job, winners: readonly Pod[]): Set<number> {
  if (!isIndexed(job)) return new Set();
  const completions = job.spec.completions ?? 0;
  const done = parseIndexes(job.status?.completedIndexes, completions);
  for (const pod of winners) {
    const index = indexOf(pod);
    if (index >= 0 && index < completions) done.add(index);
  }
  return done;
}

/** Indexes that have failed too often, or in a way that a rule says is final. */
function indexesLost(job: Job, failures: readonly Pod[], done: ReadonlySet<number>): Set<number> {
  const limit = job.spec.backoffLimitPerIndex;
  if (!isIndexed(job) || limit === undefined) return new Set();
  const lost = parseIndexes(job.status?.failedIndexes, job.spec.completions ?? 0);
  for (const pod of failures) {
    const index = indexOf(pod);
    const isFinal = judgeFailure(job, pod).action === 'FailIndex' || failureCount(pod) >= limit;
    if (isFinal && !done.has(index)) lost.add(index);
  }
  return lost;
}

/** How often the index had failed before this pod. */
export function failureCount({ metadata }: Pod): number {
  return Number(metadata.annotations?.[INDEX_FAILURES] ?? 0) || 0;
}
