import type { PersistentVolumeClaim } from '../../kinds/storage.ts';
import type { Draft } from '../../kinds/objects.ts';
import type { Pod } from '../../kinds/pod.ts';
import type { StatefulSet, StatefulSetStatus } from '../../kinds/workloads.ts';
import { keyOf, ownerKey, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { claim } from '../ownership.ts';
import { isAvailable, isFinished, isReady, isTerminating, podFrom } from '../pods.ts';
import type { Again } from '../work-queue.ts';
import { ensureRevision, pruneRevisions, REVISION_LABEL, templateOf } from '../revisions.ts';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

/** Keeps pods with lasting names and claims, one after the other. */
export function statefulSetController(context: ControllerContext): Controller {
  return {
    name: 'statefulset',
    resources: ['statefulsets.apps', 'pods'],
    keys: ({ resource, object }) =>
      resource === 'statefulsets.apps' ? [keyOf(object)] : ownerKey(object, 'StatefulSet'),
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
  step(context, plan);
  return writeStatus(context, planFor(context, set));
}

function planFor(context: ControllerContext, set: StatefulSet): Plan {
  const { name: update } = ensureRevision(context, set);
  const first = set.spec.ordinals?.start ?? 0;
  const wanted = Array.from({ length: set.spec.replicas ?? 1 }, (_unused, index) => first + index);
  const pods = new Map<number, Pod>();
  for (const pod of claim(context.objects, 'pods', set)) {
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

const healthy = (pod: Pod | undefined) => pod !== undefined && isReady(pod) && !isTerminating(pod);

/** One move: make, take away or renew; in order unless the set says Parallel. */
function step(context: ControllerContext, plan: Plan): void {
  const parallel = plan.set.spec.podManagementPolicy === 'Parallel';
  for (const ordinal of plan.wanted) {
    const pod = plan.pods.get(ordinal);
    if (!pod) create(context, plan, ordinal);
    else if (isFinished(pod) && !isTerminating(pod)) remove(context, plan, pod);
    if (!parallel && !healthy(pod)) return;
  }
  const surplus = [...plan.pods]
    .filter(([ordinal]) => !plan.wanted.includes(ordinal))
    .toSorted(([a], [b]) => b - a);
  for (const [, pod] of surplus) {
    if (!isTerminating(pod)) remove(context, plan, pod);
    if (!parallel) return;
  }
  if (plan.set.spec.updateStrategy?.type !== 'OnDelete') renew(context, plan);
}

/** From the highest ordinal down, each new one ready before the next; those under the partition stay. */
function renew(context: ControllerContext, { set, pods, wanted, update, current }: Plan): void {
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const ordinal of wanted.toReversed()) {
    if (ordinal < partition) return;
    const pod = pods.get(ordinal);
    if (!pod) return;
    if (pod.metadata.labels?.[REVISION_LABEL] !== update) {
      if (!isTerminating(pod)) remove(context, { set, pods, wanted, update, current }, pod);
      return;
    }
    if (!healthy(pod)) return;
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
      context.objects.create('persistentvolumeclaims', draft);
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
  context.objects.create('pods', draft);
  const message = `create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
  context.events.as('statefulset-controller').normal(set, 'SuccessfulCreate', message);
}

function claimFor(
  set: StatefulSet,
  template: PersistentVolumeClaim,
  pod: string,
): Draft<PersistentVolumeClaim> {
  const { labels } = template.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: `${template.metadata.name}-${pod}`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      labels: { ...set.spec.selector.matchLabels, ...labels },
    },
    spec: structuredClone(template.spec),
    status: { phase: 'Pending' },
  };
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
  return available < pods.filter(isReady).length ? { afterMs: Math.max(1000, minReady * 1000) } : undefined;
}
