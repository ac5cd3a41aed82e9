import { messageOf } from '@updraft/kit';
import type { PersistentVolumeClaim } from '../../kinds/storage.ts';
import type { Draft } from '../../kinds/objects.ts';
import type { Pod } from '../../kinds/pod.ts';
import type { StatefulSet, StatefulSetStatus } from '../../kinds/workloads.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { passOnAwaiting } from '../../api/webhooks/awaiting.ts';
import { createAsClient } from '../creation.ts';
import { claim, controllerReference, keysOfOwners } from '../ownership.ts';
import { portionOf } from '../portion.ts';
import type { OwnerReference } from '../../store/types.ts';
import { availableInMs, isAvailable, isFinished, isReady, isTerminating, podFrom } from '../pods.ts';
import type { Again } from '../work-queue.ts';
import { ensureRevision, pruneRevisions, REVISION_LABEL, templateOf } from '../revisions.ts';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

/** Keeps pods with lasting names and claims, one after the other. */
export function statefulSetController(context: ControllerContext): Controller {
  return {
    name: 'statefulset',
    resources: ['statefulsets.apps', 'pods'],
    keys: ({ resource, object, type }) =>
      resource === 'statefulsets.apps'
        ? [keyOf(object)]
        : keysOfOwners({ object, type }, 'StatefulSet', () => context.objects.list('statefulsets.apps')),
    reconcile: (key) => reconcile(context, key),
  };
}

interface Plan {
  readonly set: StatefulSet;
  /** By ordinal. */
  readonly pods: ReadonlyMap<number, Pod>;
  readonly wanted: readonly number[];
  /** Revision of the present template, and of the one that is being left. */
  readonly update: string;
  readonly current: string;
}

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const set = context.objects.get('statefulsets.apps', namespace, name);
  if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
  const plan = planFor(context, set);
  let again: Again = undefined;
  try {
    step(context, plan);
  } finally {
    ownClaims(context, plan);
    again = writeStatus(context, planFor(context, set));
  }
  return again;
}

function planFor(context: ControllerContext, set: StatefulSet): Plan {
  const { name: update } = ensureRevision(context, set);
  const first = set.spec.ordinals?.start ?? 0;
  const wanted = Array.from({ length: set.spec.replicas ?? 1 }, (_unused, index) => first + index);
  const pods = new Map<number, Pod>();
  const isNamed = (pod: Pod) => ordinalOf(set, pod) !== undefined;
  for (const pod of claim(context.objects, 'pods', set, isNamed)) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) pods.set(ordinal, pod);
  }
  const current = set.status?.currentRevision || update;
  const inUse = new Set([update, current, ...[...pods.values()].map(revisionOf)]);
  pruneRevisions(context, set, ({ name }) => inUse.has(name));
  return { set, pods, wanted, update, current };
}

const revisionOf = (pod: Pod) => pod.metadata.labels?.[REVISION_LABEL] ?? '';

function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : '';
  return /^\d+$/.test(rest) ? Number(rest) : undefined;
}

type IsHealthy = (pod: Pod | undefined) => boolean;

/** Ready for as long as the set asks for, and not on its way out. */
function healthIn({ clock }: ControllerContext, { spec }: StatefulSet): IsHealthy {
  return (pod) =>
    pod !== undefined && !isTerminating(pod) && isAvailable(pod, spec.minReadySeconds ?? 0, clock.now());
}

/** One move: make, take away or renew; in order unless the set says Parallel. */
function step(context: ControllerContext, plan: Plan): void {
  const parallel = plan.set.spec.podManagementPolicy === 'Parallel';
  const healthy = healthIn(context, plan.set);
  for (const ordinal of plan.wanted) {
    const pod = plan.pods.get(ordinal);
    if (!pod) create(context, plan, ordinal);
    else if (isFinished(pod) && !isTerminating(pod)) remove(context, plan, pod);
    if (!parallel && !healthy(pod)) return;
  }
  if (!shrink(context, plan, { parallel, healthy })) return;
  if (plan.set.spec.updateStrategy?.type !== 'OnDelete') renew(context, plan, healthy);
}

/** Takes those away that are too many, the highest first; false: there is something to wait for. */
function shrink(
  context: ControllerContext,
  plan: Plan,
  { parallel, healthy }: { readonly parallel: boolean; readonly healthy: IsHealthy },
): boolean {
  const surplus = [...plan.pods]
    .filter(([ordinal]) => !plan.wanted.includes(ordinal))
    .toSorted(([a], [b]) => b - a);
  // One that does not work keeps those above it: it may need them to come back.
  const [, weakest] = surplus.findLast(([, pod]) => !healthy(pod)) ?? [];
  for (const [, pod] of surplus) {
    if (!parallel && !healthy(pod) && pod !== weakest) return false;
    if (!isTerminating(pod)) {
      handClaimsTo(context, plan.set, pod);
      remove(context, plan, pod);
    }
    if (!parallel) return false;
  }
  return true;
}

/**
 * From the highest ordinal down, as long as no more than `maxUnavailable` are away; those under the partition stay. A pod
 * that does not work anyway costs nothing to renew.
 */
function renew(context: ControllerContext, plan: Plan, healthy: IsHealthy): void {
  const { set, pods, wanted, update } = plan;
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const most = Math.max(1, portionOf(maxUnavailable, wanted.length, Math.ceil) ?? 1);
  let away = wanted.filter((ordinal) => !healthy(pods.get(ordinal))).length;
  const renewable = wanted
    .filter((ordinal) => ordinal >= partition)
    .flatMap((ordinal) => pods.get(ordinal) ?? []);
  const isOld = (pod: Pod) => revisionOf(pod) !== update && !isTerminating(pod);
  for (const pod of renewable.toReversed().filter(isOld)) {
    const cost = healthy(pod) ? 1 : 0;
    if (away + cost > most) return;
    away += cost;
    remove(context, plan, pod);
  }
}

function revisionFor({ set, update, current }: Plan, ordinal: number): string {
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return ordinal < partition ? current : update;
}

function create(context: ControllerContext, plan: Plan, ordinal: number): void {
  const { set } = plan;
  const name = `${set.metadata.name}-${ordinal}`;
  const claims = (set.spec.volumeClaimTemplates ?? []).map((template) => claimFor(set, template, name));
  for (const draft of claims) {
    const { namespace, name: claimName } = draft.metadata;
    if (!context.objects.get('persistentvolumeclaims', namespace, claimName)) {
      createAsClient(context, 'persistentvolumeclaims', draft);
    }
  }
  const revision = revisionFor(plan, ordinal);
  const draft = podFrom(templateOf(context, set, revision), set, name);
  draft.metadata.labels = {
    ...draft.metadata.labels,
    [REVISION_LABEL]: revision,
    [POD_NAME]: name,
    [POD_INDEX]: String(ordinal),
  };
  draft.spec.hostname = name;
  if (set.spec.serviceName) draft.spec.subdomain = set.spec.serviceName;
  const own = new Set((set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name));
  draft.spec.volumes = [
    ...(draft.spec.volumes ?? []).filter((volume) => !own.has(volume.name)),
    ...[...own].map((volume) => ({
      name: volume,
      persistentVolumeClaim: { claimName: `${volume}-${name}` },
    })),
  ];
  createOrTell(context, set, draft);
}

function createOrTell(context: ControllerContext, set: StatefulSet, draft: Draft<Pod>): void {
  const events = context.events.as('statefulset-controller');
  const words = `create Pod ${draft.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    createAsClient(context, 'pods', draft);
    events.normal(set, 'SuccessfulCreate', `${words} successful`);
  } catch (error) {
    passOnAwaiting(error);
    events.warning(set, 'FailedCreate', `${words} failed error: ${messageOf(error)}`);
    throw error;
  }
}

function claimFor(
  set: StatefulSet,
  template: PersistentVolumeClaim,
  pod: string,
): Draft<PersistentVolumeClaim> {
  const { labels, annotations } = template.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `${template.metadata.name}-${pod}`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      labels: { ...set.spec.selector.matchLabels, ...labels },
      ...(annotations ? { annotations } : {}),
    },
    spec: structuredClone(template.spec),
    status: { phase: 'Pending' },
  };
}

/** The claims of a pod that are there, whichever template they are of. */
function claimsOf(
  { objects }: ControllerContext,
  set: StatefulSet,
  podName: string,
): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).flatMap(({ metadata }) => {
    const name = `${metadata.name}-${podName}`;
    return objects.get('persistentvolumeclaims', set.metadata.namespace, name) ?? [];
  });
}

function setOwners(
  { objects }: ControllerContext,
  { metadata }: PersistentVolumeClaim,
  change: (owners: readonly OwnerReference[]) => OwnerReference[],
): void {
  objects.modify('persistentvolumeclaims', metadata.namespace, metadata.name, (stored) => {
    const owners = change(stored.metadata.ownerReferences ?? []);
    if (owners.length > 0) stored.metadata.ownerReferences = owners;
    else delete stored.metadata.ownerReferences;
  });
}

/** Whose end is the end of a claim follows from the set's policy; the garbage collector does the rest. */
function ownClaims(context: ControllerContext, { set, pods, wanted }: Plan): void {
  const isOwned = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
  const owner = controllerReference(set);
  for (const ordinal of wanted) {
    const podName = `${set.metadata.name}-${ordinal}`;
    const podUid = pods.get(ordinal)?.metadata.uid;
    for (const claim of claimsOf(context, set, podName)) {
      setOwners(context, claim, (owners) => {
        const others = owners.filter(({ uid }) => uid !== owner.uid && uid !== podUid);
        return isOwned ? [...others, owner] : others;
      });
    }
  }
}

/** A pod that is given up takes its claims along when the policy says so. */
function handClaimsTo(context: ControllerContext, set: StatefulSet, pod: Pod): void {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return;
  const { name, uid } = pod.metadata;
  const owner: OwnerReference = { apiVersion: 'v1', kind: 'Pod', name, uid };
  for (const claim of claimsOf(context, set, name)) {
    setOwners(context, claim, (owners) => [
      ...owners.filter((one) => one.uid !== uid && one.uid !== set.metadata.uid),
      owner,
    ]);
  }
}

function remove(context: ControllerContext, { set }: Plan, pod: Pod): void {
  const { namespace, name, uid } = pod.metadata;
  context.deletion.delete('pods', namespace, name, { uid });
  const message = `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`;
  context.events.as('statefulset-controller').normal(set, 'SuccessfulDelete', message);
}

function writeStatus(context: ControllerContext, plan: Plan): Again {
  const { set, update } = plan;
  const nowMs = context.clock.now();
  const pods = plan.wanted
    .flatMap((ordinal) => plan.pods.get(ordinal) ?? [])
    .filter((pod) => !isTerminating(pod));
  const updated = pods.filter(({ metadata }) => metadata.labels?.[REVISION_LABEL] === update);
  const minReady = set.spec.minReadySeconds ?? 0;
  const available = pods.filter((pod) => isAvailable(pod, minReady, nowMs)).length;
  const done =
    updated.length === plan.wanted.length && updated.every(isReady) && plan.pods.size === plan.wanted.length;
  const current = done ? update : plan.current;
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: plan.pods.size,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: available,
    currentReplicas: pods.filter(({ metadata }) => metadata.labels?.[REVISION_LABEL] === current).length,
    updatedReplicas: updated.length,
    currentRevision: current,
    updateRevision: update,
    collisionCount: 0,
  };
  context.objects.modify('statefulsets.apps', set.metadata.namespace, set.metadata.name, (stored) => {
    stored.status = {
      ...status,
      ...(stored.status?.conditions ? { conditions: stored.status.conditions } : {}),
    };
  });
  const waits = pods.map((pod) => availableInMs(pod, minReady, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length > 0 ? { afterMs: Math.min(...waits) } : undefined;
}
