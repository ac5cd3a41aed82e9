import type { Deployment, ReplicaSet } from '../../kinds/workloads.ts';
import { keyOf, ownerKey, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { controllerOf, isControlledBy } from '../ownership.ts';
import { isFinished } from '../pods.ts';
import type { Again } from '../work-queue.ts';
import { DESIRED, ensureNext, findGenerations, prune, scale } from './replica-sets.ts';
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
      if (resource === 'replicasets.apps') return ownerKey(object, 'Deployment');
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
  if (deployment.spec.paused || wasScaled(deployment, generations))
    scaleAll(context, deployment, generations);
  else if (deployment.spec.strategy?.type === 'Recreate') recreate(context, deployment, generations);
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

/** Scaling without rolling: the only living ReplicaSet takes it all, several share it. */
function scaleAll(context: ControllerContext, deployment: Deployment, generations: Generations): void {
  const replicas = deployment.spec.replicas ?? 1;
  const all = generations.next ? [generations.next, ...generations.old] : generations.old;
  const living = all.filter((set) => (set.spec.replicas ?? 0) > 0);
  const [only] = living.length === 0 ? all.slice(0, 1) : living;
  if (living.length <= 1) {
    if (only) scale(context, deployment, only, replicas);
    return;
  }
  const target = replicas === 0 ? 0 : replicas + slackOf(deployment.spec).maxSurge;
  const sizes = proportional(living.map(share), target);
  for (const set of living) scale(context, deployment, set, sizes.get(set.metadata.name) ?? 0);
}
