import { messageOf } from '@updraft/kit';
import { passOnAwaiting } from '../api/webhooks/awaiting.ts';
import type { Condition, LabelSelector } from '../kinds/meta.ts';
import type { Pod } from '../kinds/pod.ts';
import type { ReplicaSet, ReplicaSetStatus, ReplicationController } from '../kinds/workloads.ts';
import { keyOf, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { createAsClient } from './creation.ts';
import { generatedName } from './naming.ts';
import { claim, keysOfOwners } from './ownership.ts';
import { availableInMs, isActive, isAvailable, isReady, podFrom, readySinceMs } from './pods.ts';
import { withCondition } from './conditions.ts';
import type { Again } from './work-queue.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** ReplicaSets and ReplicationControllers do the same; they differ in how they name and select. */
interface Flavour {
  readonly name: 'replicaset' | 'replicationcontroller';
  readonly resource: 'replicasets.apps' | 'replicationcontrollers';
  readonly kind: 'ReplicaSet' | 'ReplicationController';
  readonly component: string;
}

type Replicas = ReplicaSet | ReplicationController;

const SET: Flavour = {
  name: 'replicaset',
  resource: 'replicasets.apps',
  kind: 'ReplicaSet',
  component: 'replicaset-controller',
};
const CONTROLLER: Flavour = {
  name: 'replicationcontroller',
  resource: 'replicationcontrollers',
  kind: 'ReplicationController',
  component: 'replication-controller',
};

/** Keeps as many living pods as the ReplicaSet says. */
export const replicaSetController = (context: ControllerContext) => replicaController(context, SET);

/** The same for its elder brother. */
export const replicationControllerController = (context: ControllerContext) =>
  replicaController(context, CONTROLLER);

function replicaController(context: ControllerContext, flavour: Flavour): Controller {
  return {
    name: flavour.name,
    resources: [flavour.resource, 'pods'],
    keys: ({ resource, object, type }) => {
      if (resource === flavour.resource) return [keyOf(object)];
      return keysOfOwners({ object, type }, flavour.kind, () => {
        const sets: readonly Replicas[] = context.objects.list(flavour.resource, object.metadata.namespace);
        return sets.map((set) => ({ ...set, spec: { selector: selectorOf(set) } }));
      });
    },
    reconcile: (key) => reconcile(context, flavour, key),
  };
}

function selectorOf({ spec }: Replicas): LabelSelector {
  const { selector } = spec;
  const isPlain = (value: typeof selector): value is Record<string, string> =>
    value !== undefined && !('matchLabels' in value) && !('matchExpressions' in value);
  return isPlain(selector) ? { matchLabels: selector } : (selector ?? {});
}

function podsOf({ objects }: ControllerContext, set: Replicas): Pod[] {
  return claim(objects, 'pods', { ...set, spec: { selector: selectorOf(set) } }).filter(isActive);
}

function reconcile(context: ControllerContext, flavour: Flavour, key: string): Again {
  const { namespace, name } = splitKey(key);
  const set: Replicas | undefined = context.objects.get(flavour.resource, namespace, name);
  if (!set) return undefined;
  const pods = podsOf(context, set);
  const failure =
    set.metadata.deletionTimestamp === undefined ? balance(context, flavour, { set, pods }) : undefined;
  return writeStatus(context, flavour, { set, failure });
}

/** Creates or deletes pods; gives what kept a pod from being created. */
function balance(
  context: ControllerContext,
  { component }: Flavour,
  { set, pods }: { readonly set: Replicas; readonly pods: readonly Pod[] },
): Error | undefined {
  const events = context.events.as(component);
  const wanted = set.spec.replicas ?? 1;
  try {
    for (let count = pods.length; count < wanted; count += 1) {
      const draft = podFrom(set.spec.template, set, generatedName(`${set.metadata.name}-`));
      const pod = createAsClient(context, 'pods', draft);
      events.normal(set, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    }
  } catch (error) {
    passOnAwaiting(error);
    events.warning(set, 'FailedCreate', `Error creating: ${messageOf(error)}`);
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

function writeStatus(
  context: ControllerContext,
  flavour: Flavour,
  { set, failure }: { readonly set: Replicas; readonly failure: Error | undefined },
): Again {
  const nowMs = context.clock.now();
  const { namespace, name, generation = 1 } = set.metadata;
  const minReady = set.spec.minReadySeconds ?? 0;
  const pods = podsOf(context, set);
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
  context.objects.modify(flavour.resource, namespace, name, (stored) => {
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
  // Each attempt has another name in its message: to write each down would be an attempt each, without a pause.
  if (before?.some(({ type }) => type === 'ReplicaFailure')) return before;
  const change = {
    type: 'ReplicaFailure',
    status: 'True' as const,
    reason: 'FailedCreate',
    message: failure.message,
  };
  return withCondition(before, change, nowMs);
}
