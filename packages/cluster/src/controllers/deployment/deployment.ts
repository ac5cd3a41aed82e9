import type { Deployment, ReplicaSet } from '../../kinds/workloads.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { controllerOf, isControlledBy, keysOfOwners } from '../ownership.ts';
import { isFinished } from '../pods.ts';
import type { Again } from '../work-queue.ts';
import { DESIRED, MAX_REPLICAS, ensureNext, findGenerations, prune, scale } from './replica-sets.ts';
import type { Generations } from './replica-sets.ts';
import { newSetSize, oldSetSizes, proportional, slackOf } from './rolling.ts';
import type { Share } from './rolling.ts';
import { isComplete, notePause, writeStatus } from './status.ts';

/** Keeps one ReplicaSet per template and moves pods from the old ones to the present one. */
export function deploymentController(context: ControllerContext): Controller {
  return {
    name: 'deployment',
    resources: ['deployments.apps', 'replicasets.apps', 'pods'],
    keys: ({ resource, object, type }) => {
      if (resource === 'deployments.apps') return [keyOf(object)];
      if (resource === 'replicasets.apps')
        return keysOfOwners({ object, type }, 'Deployment', () => context.objects.list('deployments.apps'));
      // Recreate waits until the last old pod is gone.
      return type === 'DELETED' ? deploymentOfPod(context, object) : [];
    },
    reconcile: (key) => reconcile(context, key),
  };
}

function deploymentOfPod(
  context: ControllerContext,
  pod: Parameters<Controller['keys']>[0]['object'],
): string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return [];
  const set = context.objects.get('replicasets.apps', pod.metadata.namespace, owner.name);
  const name = set && controllerOf(set)?.name;
  return name === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${name}`];
}

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const deployment = context.objects.get('deployments.apps', namespace, name);
  if (!deployment) return undefined;
  const generations = findGenerations(context, deployment);
  if (deployment.metadata.deletionTimestamp !== undefined)
    return writeStatus(context, deployment, generations);
  notePause(context, deployment);
  const { paused, strategy } = deployment.spec;
  if (paused) scaleAll(context, deployment, generations);
  else if (strategy?.type === 'Recreate') recreate(context, deployment, generations);
  else if (wasScaled(deployment, generations)) scaleAll(context, deployment, generations);
  else roll(context, deployment, generations);
  const again = writeStatus(context, deployment, findGenerations(context, deployment));
  const written = context.objects.get('deployments.apps', namespace, name);
  if (written && isComplete(written, written.status)) prune(context, written, generations.old);
  return again;
}

const share = (set: ReplicaSet): Share => ({
  name: set.metadata.name,
  desired: set.spec.replicas ?? 0,
  available: set.status?.availableReplicas ?? 0,
});

const NOTHING: Share = { name: '', desired: 0, available: 0 };

function roll(context: ControllerContext, deployment: Deployment, generations: Generations): void {
  const replicas = deployment.spec.replicas ?? 1;
  const slack = slackOf(deployment.spec);
  const next = ensureNext(context, deployment, generations, (old) =>
    newSetSize(replicas, slack, NOTHING, old.map(share)),
  );
  const size = newSetSize(replicas, slack, share(next), generations.old.map(share));
  const grown = size === next.spec.replicas ? next : scale(context, deployment, next, size);
  const sizes = oldSetSizes(replicas, slack, share(grown), generations.old.map(share));
  resize(context, deployment, generations.old, sizes);
}

function resize(
  context: ControllerContext,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  sizes: ReadonlyMap<string, number>,
): void {
  for (const set of sets) {
    const size = sizes.get(set.metadata.name);
    if (size !== undefined && size !== (set.spec.replicas ?? 0)) scale(context, deployment, set, size);
  }
}

function recreate(context: ControllerContext, deployment: Deployment, generations: Generations): void {
  const shrinking = generations.old.filter((set) => (set.spec.replicas ?? 0) > 0);
  for (const set of shrinking) scale(context, deployment, set, 0);
  if (shrinking.length > 0 || generations.old.some((set) => hasLivingPods(context, set))) return;
  const replicas = deployment.spec.replicas ?? 1;
  const next = ensureNext(context, deployment, generations, () => replicas);
  if (next.spec.replicas !== replicas) scale(context, deployment, next, replicas);
}

function hasLivingPods(context: ControllerContext, set: ReplicaSet): boolean {
  return context.objects
    .list('pods', set.metadata.namespace)
    .some((pod) => isControlledBy(pod, set) && !isFinished(pod));
}

/** `spec.replicas` was changed since the ReplicaSets were last sized. */
function wasScaled(deployment: Deployment, { next, old }: Generations): boolean {
  const replicas = String(deployment.spec.replicas ?? 1);
  return (next ? [next, ...old] : old).some((set) => {
    const noted = set.metadata.annotations?.[DESIRED];
    return (set.spec.replicas ?? 0) > 0 && noted !== undefined && noted !== replicas;
  });
}

/** Scaling without rolling: the only living ReplicaSet takes it all, several share it in a rolling update. */
function scaleAll(context: ControllerContext, deployment: Deployment, generations: Generations): void {
  const replicas = deployment.spec.replicas ?? 1;
  const { next, old } = generations;
  const living = (next ? [next, ...old] : old).filter((set) => (set.spec.replicas ?? 0) > 0);
  const only = living.length <= 1 ? (living[0] ?? next ?? old.at(-1)) : undefined;
  if (only) {
    scale(context, deployment, only, replicas);
  } else if (next && isSaturated(deployment, next)) {
    const others = living.filter((set) => set !== next);
    resize(context, deployment, others, new Map(others.map(({ metadata }) => [metadata.name, 0])));
  } else if (deployment.spec.strategy?.type !== 'Recreate') {
    shareOut(context, deployment, living);
  }
}

/** It has all the pods there should be, and they are available. */
function isSaturated(deployment: Deployment, { spec, metadata, status }: ReplicaSet): boolean {
  const replicas = deployment.spec.replicas ?? 1;
  const noted = Number(metadata.annotations?.[DESIRED]);
  return [spec.replicas ?? 0, noted, status?.availableReplicas ?? 0].every((count) => count === replicas);
}

function shareOut(context: ControllerContext, deployment: Deployment, living: readonly ReplicaSet[]): void {
  const replicas = deployment.spec.replicas ?? 1;
  const target = replicas === 0 ? 0 : replicas + slackOf(deployment.spec).maxSurge;
  const total = living.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
  // Growing favours the newer of two of a size, shrinking the older.
  const sign = target > total ? -1 : 1;
  const byAge = living.toSorted(
    (a, b) => sign * (Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp)),
  );
  const shares = byAge
    .map((set) => ({ ...share(set), outOf: wholeOf(deployment, set) }))
    .toSorted((a, b) => b.desired - a.desired);
  resizeAll(context, deployment, living, proportional(shares, target));
}

/** Replicas and surge when the ReplicaSet was last sized. */
function wholeOf(deployment: Deployment, { metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.[MAX_REPLICAS]) || (deployment.status?.replicas ?? 0);
}

/** Also those that keep their size: they note what the whole is now. */
function resizeAll(
  context: ControllerContext,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  sizes: ReadonlyMap<string, number>,
): void {
  for (const set of sets) scale(context, deployment, set, sizes.get(set.metadata.name) ?? 0);
}
