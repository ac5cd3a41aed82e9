import { isDeepStrictEqual } from 'node:util';
import type { Objects } from '../../../kinds/objects.ts';
import type { Pod } from '../../../kinds/pod.ts';
import type { RuntimeClass } from '../../../kinds/quota.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';

/** What the pod's class costs, and where its pods can run, is written into the pod. @throws ApiFault 403 */
export function admitRuntimeClass(objects: Objects, subject: Subject, pod: Pod): void {
  const { runtimeClassName } = pod.spec;
  if (!runtimeClassName) return;
  const found = objects.get('runtimeclasses.node.k8s.io', undefined, runtimeClassName);
  const obstacle = found
    ? conflictWith(pod, found.scheduling?.nodeSelector)
    : `RuntimeClass "${runtimeClassName}" not found`;
  if (obstacle !== undefined) throw forbidden(subject, pod.metadata.name, `pod rejected: ${obstacle}`);
  if (found) writeInto(pod, found);
}

function conflictWith({ spec }: Pod, wanted: Readonly<Record<string, string>> = {}): string | undefined {
  const own = spec.nodeSelector ?? {};
  const other = Object.entries(wanted).find(([key, value]) => own[key] !== undefined && own[key] !== value);
  return other && `conflict: runtimeClass.scheduling.nodeSelector[${other[0]}] = ${other[1]}`;
}

function writeInto({ spec }: Pod, { overhead, scheduling = {} }: RuntimeClass): void {
  const { nodeSelector = {}, tolerations = [] } = scheduling;
  if (overhead?.podFixed) spec.overhead = { ...overhead.podFixed };
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
  const present = spec.tolerations ?? [];
  const more = tolerations.filter((one) => !present.some((own) => isDeepStrictEqual(one, own)));
  if (more.length > 0) spec.tolerations = [...present, ...more];
}
