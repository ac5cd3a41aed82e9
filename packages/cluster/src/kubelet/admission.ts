import { isFinished } from '../controllers/pods.ts';
import type { Pod } from '../kinds/pod.ts';
import { matchesNode } from '../scheduler/affinity.ts';
import { shortages, wantsTakenPort } from '../scheduler/fit.ts';
import { forbiddenSysctl } from './sysctls.ts';
import type { KubeletServices } from './services.ts';

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/**
 * Why a pod that was put here cannot be run here. Those that came by the scheduler fit; who names the node himself, or
 * comes at the same moment, may not.
 */
export function refusalOf({ objects, nodeName }: KubeletServices, pod: Pod): Refusal | undefined {
  const sysctl = forbiddenSysctl(pod);
  if (sysctl !== undefined)
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${sysctl}" not allowlisted` };
  const node = objects.get('nodes', undefined, nodeName);
  // What was begun once goes on.
  if (!node || pod.status?.startTime !== undefined) return undefined;
  if (!matchesNode(pod, node)) return predicate('NodeAffinity');
  const others = objects
    .list('pods')
    .filter(
      (other) =>
        other.spec.nodeName === nodeName &&
        other.metadata.uid !== pod.metadata.uid &&
        other.status?.startTime !== undefined &&
        !isFinished(other),
    );
  if (wantsTakenPort(pod, others)) return predicate('NodePorts');
  const [short] = shortages(pod, node, others);
  if (short === undefined) return undefined;
  const resource = short.startsWith('Insufficient ') ? short.slice('Insufficient '.length) : 'pods';
  const message = `Pod was rejected: Node didn't have enough resource: ${resource}`;
  return { reason: `OutOf${resource}`, message };
}

const predicate = (reason: string): Refusal => ({
  reason,
  message: `Pod was rejected: Predicate ${reason} failed`,
});
