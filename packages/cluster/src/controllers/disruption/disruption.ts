import type { Pod } from '../../kinds/pod.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../kinds/policy.ts';
import { selectsOrAll } from '../../kinds/selectors.ts';
import type { OwnerReference } from '../../store/types.ts';
import { withCondition } from '../conditions.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { controllerOf } from '../ownership.ts';
import { isReady, isTerminating } from '../pods.ts';
import type { Again } from '../work-queue.ts';
import { countsWanted, healthOf } from './budget.ts';
import type { Health } from './budget.ts';

/** A granted eviction that nobody has seen happen for so long did not happen. */
const GRANT_MS = 120_000;

/** Keeps the status of disruption budgets, from which the eviction subresource reads what it may grant. */
export function disruptionController(context: ControllerContext): Controller {
  return {
    name: 'disruption',
    resources: [
      'poddisruptionbudgets.policy',
      'pods',
      'deployments.apps',
      'replicasets.apps',
      'statefulsets.apps',
      'replicationcontrollers',
    ],
    keys: ({ resource, object, previous }) => {
      if (resource === 'poddisruptionbudgets.policy') return [keyOf(object)];
      const budgets = context.objects.list('poddisruptionbudgets.policy', object.metadata.namespace);
      if (resource !== 'pods') return budgets.filter(countsWanted).map(keyOf);
      return budgets
        .filter(({ spec }) =>
          [object, previous].some((pod) => pod && selectsOrAll(spec.selector, pod.metadata.labels)),
        )
        .map(keyOf);
    },
    reconcile: (key) => reconcile(context, key),
  };
}

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const budget = context.objects.get('poddisruptionbudgets.policy', namespace, name);
  if (!budget) return undefined;
  const pods = context.objects
    .list('pods', namespace)
    .filter(({ metadata }) => selectsOrAll(budget.spec.selector, metadata.labels));
  const granted = standingGrants(context, budget, pods);
  const wanted = countsWanted(budget) ? wantedPods(context, pods) : 0;
  const healthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && granted[pod.metadata.name] === undefined,
  ).length;
  const failure = typeof wanted === 'string' ? wanted : undefined;
  const counts = { pods: pods.length, wanted: typeof wanted === 'string' ? 0 : wanted, healthy };
  const health = healthOf(budget, counts);
  if (failure !== undefined) {
    const message = `Failed to calculate the number of expected pods: ${failure}`;
    const events = context.events.as('controllermanager');
    events.warning(budget, 'CalculateExpectedPodCountFailed', message);
  }
  writeStatus(context, budget, { health, granted, failure });
  return Object.keys(granted).length > 0 ? { afterMs: GRANT_MS } : undefined;
}

/** Grants whose pods are still there and not going yet, unless they are too old to be believed. */
function standingGrants(
  context: ControllerContext,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
): Record<string, string> {
  const nowMs = context.clock.now();
  const grants = Object.entries(budget.status?.disruptedPods ?? {}).filter(([podName, time]) => {
    const pod = pods.find(({ metadata }) => metadata.name === podName);
    return pod && !isTerminating(pod) && Date.parse(time) + GRANT_MS > nowMs;
  });
  return Object.fromEntries(grants);
}

/** What the controllers of these pods want in all; or why that cannot be said. */
function wantedPods(context: ControllerContext, pods: readonly Pod[]): number | string {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    // A pod of nobody is wanted by nobody.
    if (!owner) continue;
    const scale = scaleOf(context, pod, owner);
    if (typeof scale === 'string') return scale;
    scales.set(scale.uid, scale.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

type Scale = { uid: string; replicas: number } | string;

function scaleOf({ objects }: ControllerContext, pod: Pod, owner: OwnerReference): Scale {
  const { namespace } = pod.metadata;
  const { kind, name } = owner;
  if (kind === 'ReplicaSet') {
    const set = objects.get('replicasets.apps', namespace, name);
    const parent = set && controllerOf(set);
    const deployment =
      parent?.kind === 'Deployment' ? objects.get('deployments.apps', namespace, parent.name) : undefined;
    return scaleFrom(deployment ?? set, owner);
  }
  if (kind === 'StatefulSet') return scaleFrom(objects.get('statefulsets.apps', namespace, name), owner);
  if (kind === 'ReplicationController') {
    return scaleFrom(objects.get('replicationcontrollers', namespace, name), owner);
  }
  return `${kind.toLowerCase()}s.${owner.apiVersion.split('/')[0] ?? ''} does not implement the scale subresource`;
}

function scaleFrom(
  object: { metadata: { uid: string }; spec: { replicas?: number } } | undefined,
  { kind, name }: OwnerReference,
): Scale {
  if (!object) return `found no ${kind} ${name}`;
  return { uid: object.metadata.uid, replicas: object.spec.replicas ?? 1 };
}

interface Outcome {
  readonly health: Health;
  readonly granted: Record<string, string>;
  readonly failure: string | undefined;
}

function writeStatus(
  context: ControllerContext,
  { metadata }: PodDisruptionBudget,
  { health, granted, failure }: Outcome,
): void {
  const { namespace, name, generation = 1 } = metadata;
  context.objects.modify('poddisruptionbudgets.policy', namespace, name, (stored) => {
    // Without a count nothing may go.
    const disruptionsAllowed = failure === undefined ? health.disruptionsAllowed : 0;
    const change = {
      type: 'DisruptionAllowed',
      status: disruptionsAllowed > 0 ? ('True' as const) : ('False' as const),
      reason: reasonFor(disruptionsAllowed, failure),
      message: failure ?? '',
    };
    const conditions = withCondition(stored.status?.conditions, change, context.clock.now());
    const status: PodDisruptionBudgetStatus = {
      ...health,
      disruptionsAllowed,
      observedGeneration: generation,
      conditions: conditions.map(({ lastUpdateTime: _unused, ...condition }) => ({
        ...condition,
        observedGeneration: generation,
      })),
    };
    stored.status = Object.keys(granted).length > 0 ? { ...status, disruptedPods: granted } : status;
  });
}

function reasonFor(allowed: number, failure: string | undefined): string {
  if (failure !== undefined) return 'SyncFailed';
  return allowed > 0 ? 'SufficientPods' : 'InsufficientPods';
}
