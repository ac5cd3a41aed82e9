import type { ControllerContext } from '../controllers/controller.ts';
import type { Pod } from '../kinds/pod.ts';
import type { Surroundings } from './affinity.ts';
import { obstacleOn } from './fit.ts';

const priorityOf = ({ spec }: Pod) => spec.priority ?? 0;

/**
 * The fewest and least important pods of lower priority without which `pod` would fit; undefined: none would help.
 * Pods that go already are waited for, not replaced by more victims.
 */
export function victimsFor(pod: Pod, around: Surroundings): Pod[] | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return undefined;
  const lower = around.pods.filter((other) => priorityOf(other) < priorityOf(pod));
  const staying = (gone: ReadonlySet<Pod>) => ({
    ...around,
    pods: around.pods.filter((other) => !gone.has(other)),
  });
  const gone = new Set(lower);
  if (lower.length === 0 || obstacleOn(pod, staying(gone))) return undefined;
  // Give back as many as still leave room, the most important first.
  for (const other of lower.toSorted((a, b) => priorityOf(b) - priorityOf(a))) {
    if (other.metadata.deletionTimestamp !== undefined) continue;
    gone.delete(other);
    if (obstacleOn(pod, staying(gone))) gone.add(other);
  }
  return [...gone];
}

/** Makes lower pods go; true when some are going and the pod has to wait for that. */
export function preempt(context: ControllerContext, pod: Pod, around: Surroundings): boolean {
  const victims = victimsFor(pod, around);
  if (!victims || victims.length === 0) return false;
  for (const victim of victims) {
    const { namespace, name, uid, deletionTimestamp } = victim.metadata;
    if (deletionTimestamp !== undefined) continue;
    const message = `Preempted by pod ${pod.metadata.uid} on node ${around.node.metadata.name}`;
    context.events.as('default-scheduler').normal(victim, 'Preempted', message);
    context.deletion.delete('pods', namespace, name, { uid });
  }
  return true;
}
