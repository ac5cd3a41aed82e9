import { withCondition } from '../controllers/conditions.ts';
import type { ConditionChange } from '../controllers/conditions.ts';
import { keyOf, splitKey } from '../controllers/controller.ts';
import type { Controller, ControllerContext } from '../controllers/controller.ts';
import { isFinished } from '../controllers/pods.ts';
import type { Again } from '../controllers/work-queue.ts';
import type { Node } from '../kinds/core.ts';
import type { Pod } from '../kinds/pod.ts';
import type { KubeObject, WatchEvent } from '../store/types.ts';
import type { Surroundings } from './affinity.ts';
import { isTakenByAnother, judgeClaims } from './claims.ts';
import { obstacleOn } from './fit.ts';
import type { Obstacle } from './fit.ts';
import { preempt } from './preemption.ts';

/** What frees a pod that waits is seen as it happens; this is for what nobody thought of. */
const RETRY_MS = 300_000;
const DEFAULT_SCHEDULER = 'default-scheduler';

/** Binds pods to the one node, or says why it cannot. */
export function scheduler(context: ControllerContext, nodeName: string): Controller {
  const waiting = () =>
    context.objects
      .list('pods')
      .filter((pod) => pod.spec.nodeName === undefined)
      .toSorted((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0))
      .map(keyOf);
  return {
    name: 'scheduler',
    resources: [
      'pods',
      'nodes',
      'persistentvolumeclaims',
      'persistentvolumes',
      'storageclasses.storage.k8s.io',
    ],
    keys: (event) => {
      if (event.resource !== 'pods') return isNews(event) ? waiting() : [];
      if (makesRoom(event)) return waiting();
      return event.object.spec?.['nodeName'] === undefined ? [keyOf(event.object)] : [];
    },
    reconcile: (key) => schedule(context, nodeName, key),
  };
}

/** A heartbeat of the node is none. */
function isNews({ resource, object, previous }: WatchEvent): boolean {
  if (resource !== 'nodes' || !previous) return true;
  const matter = ({ metadata, spec, status }: KubeObject) =>
    JSON.stringify([metadata.labels, spec, status?.['allocatable']]);
  return matter(object) !== matter(previous);
}

function makesRoom({ type, object, previous }: WatchEvent): boolean {
  if (type === 'DELETED') return true;
  const ended = (pod: KubeObject | undefined) => pod !== undefined && isFinished(pod as unknown as Pod);
  const relabelled = JSON.stringify(previous?.metadata.labels) !== JSON.stringify(object.metadata.labels);
  return previous !== undefined && (ended(object) !== ended(previous) || relabelled);
}

function schedule(context: ControllerContext, nodeName: string, key: string): Again {
  const { namespace, name } = splitKey(key);
  const pod = context.objects.get('pods', namespace, name);
  if (!pod || !isWaiting(pod)) return undefined;
  if ((pod.spec.schedulingGates ?? []).length > 0) return gate(context, pod);
  const node = context.objects.get('nodes', undefined, nodeName);
  return node ? place(context, pod, node) : refuse(context, pod, 'no nodes available to schedule pods');
}

function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName = DEFAULT_SCHEDULER } = pod.spec;
  return (
    nodeName === undefined &&
    schedulerName === DEFAULT_SCHEDULER &&
    !isFinished(pod) &&
    pod.metadata.deletionTimestamp === undefined
  );
}

function place(context: ControllerContext, pod: Pod, node: Node): Again {
  const nodeName = node.metadata.name;
  const claims = judgeClaims(context.objects, pod, nodeName);
  if (claims && 'obstacle' in claims) {
    return refuse(context, pod, describe({ reasons: [claims.obstacle], resolvable: false }, false));
  }
  const around = surroundings(context, node, pod);
  const obstacle = obstacleOn(pod, around) ?? obstacleByClaim(context, pod, around);
  if (obstacle) {
    const makesWay = obstacle.resolvable && preempt(context, pod, around);
    return refuse(context, pod, describe(obstacle, true), makesWay ? nodeName : undefined);
  }
  // The claim's binding brings us back.
  return claims ? undefined : assign(context, pod, nodeName);
}

function obstacleByClaim(
  { objects }: ControllerContext,
  pod: Pod,
  { pods }: Surroundings,
): Obstacle | undefined {
  if (!isTakenByAnother(objects, pod, pods)) return undefined;
  const reason =
    'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
  return { reasons: [reason], resolvable: true };
}

/** What was made free for a pod is not there for those that are no more important. */
function surroundings({ objects }: ControllerContext, node: Node, pod: Pod): Surroundings {
  const { name } = node.metadata;
  const isAwaited = ({ metadata, spec, status }: Pod) =>
    spec.nodeName === undefined &&
    status?.nominatedNodeName === name &&
    metadata.uid !== pod.metadata.uid &&
    metadata.deletionTimestamp === undefined &&
    (spec.priority ?? 0) >= (pod.spec.priority ?? 0);
  return {
    node,
    pods: objects
      .list('pods')
      .filter((other) => (other.spec.nodeName === name || isAwaited(other)) && !isFinished(other)),
    namespaceLabels: (name) => objects.get('namespaces', undefined, name)?.metadata.labels ?? {},
  };
}

/** As Kubernetes words it for one node; what stands in the way of all nodes is not counted. */
function describe({ reasons, resolvable }: Obstacle, perNode: boolean): string {
  const counted = reasons.toSorted().map((reason) => (perNode ? `1 ${reason}` : reason));
  const preemption = resolvable
    ? '1 No preemption victims found for incoming pod.'
    : '1 Preemption is not helpful for scheduling.';
  return `0/1 nodes are available: ${counted.join(', ')}. preemption: 0/1 nodes are available: ${preemption}`;
}

function assign(context: ControllerContext, pod: Pod, nodeName: string): undefined {
  const { namespace = '', name } = pod.metadata;
  context.objects.modify('pods', namespace, name, (stored) => {
    stored.spec.nodeName = nodeName;
    setScheduled(context, stored, { type: 'PodScheduled', status: 'True' });
    delete stored.status?.nominatedNodeName;
  });
  const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
  context.events.as(DEFAULT_SCHEDULER).normal(pod, 'Scheduled', message);
  return undefined;
}

function setScheduled({ clock }: ControllerContext, pod: Pod, change: ConditionChange): void {
  const observedGeneration = pod.metadata.generation;
  const conditions = withCondition(pod.status?.conditions, change, clock.now()).map(
    ({ lastUpdateTime: _unused, ...condition }) => ({
      lastProbeTime: null,
      ...condition,
      ...(condition.type === change.type && observedGeneration !== undefined ? { observedGeneration } : {}),
    }),
  );
  pod.status = { ...pod.status, conditions };
}

/** Somebody wants to look at the pod first: no event, the gates say enough. */
function gate(context: ControllerContext, { metadata }: Pod): undefined {
  context.objects.modify('pods', metadata.namespace, metadata.name, (stored) => {
    setScheduled(context, stored, {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    });
  });
  return undefined;
}

function refuse(context: ControllerContext, pod: Pod, message: string, nominated?: string): Again {
  const { namespace, name } = pod.metadata;
  context.objects.modify('pods', namespace, name, (stored) => {
    setScheduled(context, stored, {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
    });
    if (nominated === undefined) delete stored.status?.nominatedNodeName;
    else stored.status = { ...stored.status, nominatedNodeName: nominated };
  });
  context.events.as(DEFAULT_SCHEDULER).warning(pod, 'FailedScheduling', message);
  return { afterMs: RETRY_MS };
}
