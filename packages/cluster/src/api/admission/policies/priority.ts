import type { Objects } from '../../../kinds/objects.ts';
import type { Pod } from '../../../kinds/pod.ts';
import type { PriorityClass } from '../../../kinds/quota.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';

const CLASSES = 'priorityclasses.scheduling.k8s.io';
const BUILT_IN = [
  [
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ],
  [
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ],
] as const;

/** Makes the classes that are always there. */
export function ensurePriorityClasses(objects: Objects): void {
  for (const [name, value, description] of BUILT_IN) {
    if (objects.get(CLASSES, undefined, name)) continue;
    objects.create(CLASSES, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name, generation: 1 },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    });
  }
}

function classFor(objects: Objects, subject: Subject, pod: Pod): PriorityClass | undefined {
  const { priorityClassName } = pod.spec;
  if (!priorityClassName) {
    return objects
      .list(CLASSES)
      .filter(({ globalDefault }) => globalDefault === true)
      .toSorted((a, b) => a.value - b.value)[0];
  }
  const named = objects.get(CLASSES, undefined, priorityClassName);
  if (named) return named;
  const why = `no PriorityClass with name ${priorityClassName} was found`;
  throw forbidden(subject, pod.metadata.name, why);
}

/**
 * Gives the pod the number of its class. `given` is the number the client wrote itself, which may only be that one.
 * @throws ApiFault 403
 */
export function resolvePriority(
  objects: Objects,
  subject: Subject,
  pod: Pod,
  given: number | undefined,
): void {
  const found = classFor(objects, subject, pod);
  const priority = found?.value ?? 0;
  if (given !== undefined && given !== priority) {
    const why = `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
    throw forbidden(subject, pod.metadata.name, why);
  }
  pod.spec.priority = priority;
  if (!found) return;
  pod.spec.priorityClassName = found.metadata.name;
  if (found.preemptionPolicy !== undefined) pod.spec.preemptionPolicy = found.preemptionPolicy;
}
