import type { Condition } from '../kinds/meta.ts';
import type { Pod } from '../kinds/pod.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../kinds/workloads.ts';
import { keyOf, ownerKey, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { generatedName } from './naming.ts';
import { claim } from './ownership.ts';
import { availableInMs, isActive, isAvailable, isReady, podFrom, readySinceMs } from './pods.ts';
import { selects } from '../kinds/selectors.ts';
import { withCondition } from './conditions.ts';
import type { Again } from './work-queue.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Keeps as many living pods as the ReplicaSet says. */
export function replicaSetController(context: ControllerContext): Controller {
  return {
    name: 'replicaset',
    resources: ['replicasets.apps', 'pods'],
    keys: ({ resource, object, type }) => {
      if (resource === 'replicasets.apps') return [keyOf(object)];
      const owned = ownerKey(object, 'ReplicaSet');
      const orphan = (object.metadata.ownerReferences ?? []).length === 0 && type !== 'DELETED';
      return orphan ? adopters(context, object as never) : owned;
    },
    reconcile: (key) => reconcile(context, key),
  };
}

function adopters(context: ControllerContext, pod: Pod): string[] {
  const sets = context.objects.list('replicasets.apps', pod.metadata.namespace);
  return sets.filter((set) => selects(set.spec.selector, pod.metadata.labels)).map(keyOf);
}

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const set = context.objects.get('replicasets.apps', namespace, name);
  if (!set) return undefined;
  const pods = claim(context.objects, 'pods', set).filter(isActive);
  const failure = set.metadata.deletionTimestamp === undefined ? balance(context, set, pods) : undefined;
  return writeStatus(context, set, failure);
}

/** Creates or deletes pods; gives what kept a pod from being created. */
function balance(context: ControllerContext, set: ReplicaSet, pods: readonly Pod[]): Error | undefined {
  const events = context.events.as('replicaset-controller');
  const wanted = set.spec.replicas ?? 1;
  try {
    for (let count = pods.length; count < wanted; count += 1) {
      const pod = context.objects.create(
        'pods',
        podFrom(set.spec.template, set, generatedName(`${set.metadata.name}-`)),
      );
      events.normal(set, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    }
  } catch (error) {
    events.warning(set, 'FailedCreate', `Error creating: ${String(error)}`);
    return error instanceof Error ? error : new Error(String(error));
  }
  const surplus = pods.toSorted(dispensableFirst).slice(0, Math.max(0, pods.length - wanted));
  for (const { metadata } of surplus) {
    context.deletion.delete('pods', metadata.namespace, metadata.name, { uid: metadata.uid });
    events.normal(set, 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
  }
  return undefined;
}

const restarts = (pod: Pod) =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));

/** Each criterion: the pod with the smaller number goes first. */
const CRITERIA: readonly ((pod: Pod) => number)[] = [
  (pod) => (pod.spec.nodeName === undefined ? 0 : 1),
  (pod) => ({ Pending: 0, Unknown: 1, Running: 2 })[String(pod.status?.phase)] ?? 0,
  (pod) => (isReady(pod) ? 1 : 0),
  (pod) => Number(pod.metadata.annotations?.[DELETION_COST] ?? 0) || 0,
  (pod) => -(readySinceMs(pod) ?? 0),
  (pod) => -restarts(pod),
  (pod) => -Date.parse(pod.metadata.creationTimestamp),
];

/** The order in which a ReplicaSet gives up pods. */
export function dispensableFirst(a: Pod, b: Pod): number {
  for (const criterion of CRITERIA) {
    const difference = criterion(a) - criterion(b);
    if (difference !== 0) return difference;
  }
  return 0;
}

function writeStatus(context: ControllerContext, set: ReplicaSet, failure: Error | undefined): Again {
  const nowMs = context.clock.now();
  const { namespace, name, generation = 1 } = set.metadata;
  const minReady = set.spec.minReadySeconds ?? 0;
  const pods = claim(context.objects, 'pods', set).filter(isActive);
  const labels = set.spec.template.metadata?.labels ?? {};
  const full = pods.filter((pod) =>
    Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value),
  );
  const status: ReplicaSetStatus = {
    replicas: pods.length,
    fullyLabeledReplicas: full.length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: pods.filter((pod) => isAvailable(pod, minReady, nowMs)).length,
    observedGeneration: generation,
  };
  context.objects.modify('replicasets.apps', namespace, name, (stored) => {
    const conditions = failureConditions(stored.status?.conditions, failure, nowMs);
    stored.status = conditions.length > 0 ? { ...status, conditions } : status;
  });
  if (failure) throw failure;
  const waits = pods.map((pod) => availableInMs(pod, minReady, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length > 0 ? { afterMs: Math.min(...waits) } : undefined;
}

function failureConditions(
  before: Condition[] | undefined,
  failure: Error | undefined,
  nowMs: number,
): Condition[] {
  if (!failure) return (before ?? []).filter(({ type }) => type !== 'ReplicaFailure');
  const change = {
    type: 'ReplicaFailure',
    status: 'True' as const,
    reason: 'FailedCreate',
    message: failure.message,
  };
  return withCondition(before, change, nowMs);
}
