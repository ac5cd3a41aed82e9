import { withCondition } from '../controllers/conditions.ts';
import { keyOf, splitKey } from '../controllers/controller.ts';
import type { Controller, ControllerContext } from '../controllers/controller.ts';
import { isFinished } from '../controllers/pods.ts';
import type { Again } from '../controllers/work-queue.ts';
import type { Pod } from '../kinds/pod.ts';

const RETRY_MS = 30_000;
const DEFAULT_SCHEDULER = 'default-scheduler';

/** Binds pods to the one node, or says why it cannot. Room for requests is not counted: the machine is what it is. */
export function scheduler(context: ControllerContext, nodeName: string): Controller {
  const waiting = () =>
    context.objects
      .list('pods')
      .filter((pod) => pod.spec.nodeName === undefined)
      .map(keyOf);
  return {
    name: 'scheduler',
    resources: ['pods', 'nodes', 'persistentvolumeclaims'],
    keys: ({ resource, object, type }) => {
      // A node that is free again, or a claim that is bound, may be what pods wait for.
      if (resource !== 'pods') return waiting();
      return type !== 'DELETED' && object.spec?.['nodeName'] === undefined ? [keyOf(object)] : [];
    },
    reconcile: (key) => schedule(context, nodeName, key),
  };
}

function schedule(context: ControllerContext, nodeName: string, key: string): Again {
  const { namespace, name } = splitKey(key);
  const { objects, clock } = context;
  const pod = objects.get('pods', namespace, name);
  if (
    !pod ||
    pod.spec.nodeName !== undefined ||
    isFinished(pod) ||
    pod.metadata.deletionTimestamp !== undefined
  ) {
    return undefined;
  }
  if ((pod.spec.schedulerName ?? DEFAULT_SCHEDULER) !== DEFAULT_SCHEDULER) return undefined;
  if ((pod.spec.schedulingGates ?? []).length > 0) return undefined;
  const obstacle = obstacleFor(context, nodeName, pod);
  if (obstacle !== undefined) return refuse(context, pod, obstacle);
  objects.modify('pods', namespace, name, (stored) => {
    stored.spec.nodeName = nodeName;
    const bound = { type: 'PodScheduled', status: 'True' } as const;
    const conditions = withCondition(stored.status?.conditions, bound, clock.now());
    stored.status = { ...stored.status, conditions: conditions.map(withoutUpdateTime) };
  });
  const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
  context.events.as(DEFAULT_SCHEDULER).normal(pod, 'Scheduled', message);
  return undefined;
}

const withoutUpdateTime = <T extends { lastUpdateTime?: string }>({
  lastUpdateTime: _unused,
  ...condition
}: T) => ({
  lastProbeTime: null,
  ...condition,
});

function obstacleFor({ objects }: ControllerContext, nodeName: string, pod: Pod): string | undefined {
  const node = objects.get('nodes', undefined, nodeName);
  if (!node) return 'no nodes available to schedule pods';
  if (node.spec.unschedulable && !toleratesCordon(pod))
    return '0/1 nodes are available: 1 node(s) were unschedulable.';
  const wanted = Object.entries(pod.spec.nodeSelector ?? {});
  if (!wanted.every(([key, value]) => node.metadata.labels?.[key] === value)) {
    return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
  }
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = objects.get('persistentvolumeclaims', pod.metadata.namespace, claimName);
    if (!claim) return `0/1 nodes are available: persistentvolumeclaim "${claimName}" not found.`;
    if (claim.status?.phase !== 'Bound') {
      return '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
    }
  }
  return undefined;
}

const toleratesCordon = (pod: Pod) =>
  pod.spec.tolerations?.some(({ key }) => key === 'node.kubernetes.io/unschedulable') === true;

function refuse(context: ControllerContext, pod: Pod, message: string): Again {
  const { namespace, name } = pod.metadata;
  context.objects.modify('pods', namespace, name, (stored) => {
    const change = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
    const conditions = withCondition(stored.status?.conditions, change, context.clock.now());
    stored.status = { ...stored.status, conditions: conditions.map(withoutUpdateTime) };
  });
  context.events.as(DEFAULT_SCHEDULER).warning(pod, 'FailedScheduling', message);
  return { afterMs: RETRY_MS };
}
