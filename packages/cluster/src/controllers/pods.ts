import type { Pod, PodTemplate } from '../kinds/pod.ts';
import type { Draft } from '../kinds/objects.ts';
import { applyDefaults } from '../api/admission/defaults.ts';
import type { KubeObject, ObjectMeta } from '../store/types.ts';
import { conditionOf } from './conditions.ts';
import { controllerReference } from './ownership.ts';

export const isFinished = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
export const isTerminating = (pod: Pod) => pod.metadata.deletionTimestamp !== undefined;
export const isActive = (pod: Pod) => !isFinished(pod) && !isTerminating(pod);
export const isReady = (pod: Pod) => conditionOf(pod, 'Ready')?.status === 'True';

export function readySinceMs(pod: Pod): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') : undefined;
}

/** How long until the ready pod counts as available: 0 now, undefined not ready at all. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const since = readySinceMs(pod);
  if (since === undefined) return undefined;
  return Math.max(0, since + minReadySeconds * 1000 - nowMs);
}

export const isAvailable = (pod: Pod, minReadySeconds: number, nowMs: number) =>
  availableInMs(pod, minReadySeconds, nowMs) === 0;

/** A pod as a workload makes it from its template. */
export function podFrom(
  template: PodTemplate,
  owner: { apiVersion: string; kind: string; metadata: ObjectMeta },
  name: string,
): Draft<Pod> {
  const { labels, annotations } = template.metadata ?? {};
  const prefix = `${owner.metadata.name}-`;
  const draft: Draft<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(name.startsWith(prefix) ? { generateName: prefix } : {}),
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ownerReferences: [controllerReference(owner)],
      generation: 1,
    },
    spec: structuredClone(template.spec),
    status: { phase: 'Pending' },
  };
  applyDefaults('pods', draft as unknown as KubeObject);
  return draft;
}
