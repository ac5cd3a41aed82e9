import type { Job } from '../../kinds/batch.ts';
import type { Draft } from '../../kinds/objects.ts';
import type { Container, Pod } from '../../kinds/pod.ts';
import type { ControllerContext } from '../controller.ts';
import { passOnAwaiting } from '../../api/webhooks/awaiting.ts';
import { createAsClient } from '../creation.ts';
import { generatedName } from '../naming.ts';
import { isTerminating, podFrom } from '../pods.ts';
import { failureCount, INDEX, INDEX_FAILURES, indexOf, isIndexed } from './tally.ts';
import type { EndsCounter, Tally } from './tally.ts';

const FIRST_PAUSE_MS = 10_000;
const LAST_PAUSE_MS = 360_000;
const COMPONENT = 'job-controller';

/** How many pods may run now: as many as are asked for, and no more than there is work left. */
function wantedPods({ spec }: Job, tally: Tally): number {
  const parallelism = spec.parallelism ?? 1;
  // Without a number of completions the first success says that the work is done: nothing new is begun.
  if (spec.completions === undefined) return tally.succeeded > 0 ? tally.active.length : parallelism;
  return Math.min(parallelism, spec.completions - tally.succeeded - tally.failedIndexes.size);
}

/** Starts what is missing and stops what is too much; gives the time until a pause after failures is over. */
export function balance(context: ControllerContext, counter: EndsCounter, job: Job, all: Tally): number {
  const active = isIndexed(job) ? all.active.toSorted((a, b) => indexOf(a) - indexOf(b)) : all.active;
  // The number of completions may have become smaller.
  const outside = active.filter((pod) => isIndexed(job) && indexOf(pod) >= (job.spec.completions ?? 0));
  stop(context, counter, job, outside);
  const tally = { ...all, active: active.filter((pod) => !outside.includes(pod)) };
  const missing = wantedPods(job, tally) - occupied(job, tally);
  if (missing < 0) stop(context, counter, job, tally.active.slice(missing));
  if (missing <= 0) return 0;
  if (isIndexed(job)) return startIndexes(context, job, { tally, missing });
  const waitMs = pauseAfter(context, tally.failures);
  if (waitMs > 0) return waitMs;
  for (let count = 0; count < missing; count += 1) {
    create(context, job, podFrom(withJobLabels(job), job, generatedName(`${job.metadata.name}-`)));
  }
  return 0;
}

/** Pods on their way out keep their place when only failed ones are to be replaced. */
function occupied({ spec }: Job, { active, terminating }: Tally): number {
  return active.length + (spec.podReplacementPolicy === 'Failed' ? terminating.length : 0);
}

function startIndexes(
  context: ControllerContext,
  job: Job,
  { tally, missing }: { readonly tally: Tally; readonly missing: number },
): number {
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const commonMs = perIndex ? 0 : pauseAfter(context, tally.failures);
  if (commonMs > 0) return commonMs;
  const waits: number[] = [];
  let left = missing;
  for (const index of freeIndexes(job, tally)) {
    if (left === 0) break;
    const before = tally.failures.filter((pod) => indexOf(pod) === index);
    const waitMs = perIndex ? pauseAfter(context, before) : 0;
    if (waitMs > 0) waits.push(waitMs);
    else {
      const failures = Math.max(-1, ...before.map(failureCount)) + 1;
      create(context, job, indexedPod(job, index, perIndex ? failures : undefined));
    }
    left -= 1;
  }
  return waits.length > 0 ? Math.min(...waits) : 0;
}

/** Lowest first. */
function freeIndexes(job: Job, { active, terminating, completedIndexes, failedIndexes }: Tally): number[] {
  const holders = job.spec.podReplacementPolicy === 'Failed' ? [...active, ...terminating] : active;
  const taken = new Set([...holders.map(indexOf), ...completedIndexes, ...failedIndexes]);
  const all = Array.from({ length: job.spec.completions ?? 0 }, (_unused, index) => index);
  return all.filter((index) => !taken.has(index));
}

function indexedPod(job: Job, index: number, failures: number | undefined): Draft<Pod> {
  const { name } = job.metadata;
  const draft = podFrom(withJobLabels(job), job, generatedName(`${name}-${index}-`));
  draft.metadata.labels = { ...draft.metadata.labels, [INDEX]: String(index) };
  draft.metadata.annotations = {
    ...draft.metadata.annotations,
    [INDEX]: String(index),
    ...(failures === undefined ? {} : { [INDEX_FAILURES]: String(failures) }),
  };
  draft.spec.hostname ??= `${name}-${index}`.slice(0, 63);
  draft.spec.containers = draft.spec.containers.map(withIndex);
  if (draft.spec.initContainers) draft.spec.initContainers = draft.spec.initContainers.map(withIndex);
  return draft;
}

function withIndex(container: Container): Container {
  const name = 'JOB_COMPLETION_INDEX';
  if (container.env?.some((variable) => variable.name === name)) return container;
  const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` };
  return { ...container, env: [...(container.env ?? []), { name, valueFrom: { fieldRef } }] };
}

function create(context: ControllerContext, job: Job, draft: Draft<Pod>): void {
  const events = context.events.as(COMPONENT);
  try {
    const pod = createAsClient(context, 'pods', draft);
    events.normal(job, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    passOnAwaiting(error);
    events.warning(job, 'FailedCreate', `Error creating: ${(error as Error).message}`);
    throw error;
  }
}

/** Takes pods away that are not wanted any more, which is no failure of theirs. */
export function stop(context: ControllerContext, counter: EndsCounter, job: Job, pods: readonly Pod[]): void {
  counter.note(job, 'failed', pods);
  for (const pod of pods.filter((one) => !isTerminating(one))) {
    const { namespace, name, uid } = pod.metadata;
    context.deletion.delete('pods', namespace, name, { uid });
    context.events.as(COMPONENT).normal(job, 'SuccessfulDelete', `Deleted pod: ${name}`);
  }
}

function withJobLabels(job: Job): Job['spec']['template'] {
  const { name, uid } = job.metadata;
  const own = {
    'batch.kubernetes.io/job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'job-name': name,
    'controller-uid': uid,
  };
  const { template } = job.spec;
  return {
    ...template,
    metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...own } },
  };
}

/** What is left of the pause after the last of so many failures. */
function pauseAfter({ clock }: ControllerContext, failed: readonly Pod[]): number {
  if (failed.length === 0) return 0;
  const ends = failed.map(endOf).filter((end) => end > 0);
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failed.length - 1), LAST_PAUSE_MS);
  return Math.max(0, Math.max(0, ...ends) + pauseMs - clock.now());
}

function endOf({ status, metadata }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(
    ({ state }) => Date.parse(state.terminated?.finishedAt ?? '') || 0,
  );
  return Math.max(0, ...ends) || Date.parse(metadata.deletionTimestamp ?? '') || 0;
}
