import type { Node } from '../kinds/core.ts';
import { milliOf, podAmounts, sumOf } from '../kinds/pod-resources.ts';
import type { Amounts } from '../kinds/pod-resources.ts';
import type { Pod } from '../kinds/pod.ts';
import { matchesNode, obstacleByPods, obstacleBySpread } from './affinity.ts';
import type { Surroundings } from './affinity.ts';
import { tolerates, UNSCHEDULABLE, untolerated } from './taints.ts';

/** Why a node does not do, in Kubernetes' words, and whether removing other pods could change it. */
export interface Obstacle {
  readonly reasons: readonly string[];
  readonly resolvable: boolean;
}

const unresolvable = (reason: string): Obstacle => ({ reasons: [reason], resolvable: false });

/** The first rule that the node breaks, in the order in which Kubernetes asks; undefined: the pod fits. */
export function obstacleOn(pod: Pod, around: Surroundings): Obstacle | undefined {
  const { node } = around;
  const cordoned = { key: UNSCHEDULABLE, effect: 'NoSchedule' };
  if (node.spec.unschedulable && !tolerates(pod.spec.tolerations, cordoned)) {
    return unresolvable('node(s) were unschedulable');
  }
  const taint = untolerated(pod.spec.tolerations, node.spec.taints);
  if (taint) return unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
  if (!matchesNode(pod, node)) return unresolvable("node(s) didn't match Pod's node affinity/selector");
  return obstacleByRoom(pod, around);
}

function obstacleByRoom(pod: Pod, around: Surroundings): Obstacle | undefined {
  if (wantsTakenPort(pod, around.pods)) {
    return { reasons: ["node(s) didn't have free ports for the requested pod ports"], resolvable: true };
  }
  const short = shortages(pod, around.node, around.pods);
  if (short.length > 0) return { reasons: short, resolvable: true };
  const spread = obstacleBySpread(pod, around) ?? obstacleByPods(pod, around);
  return spread === undefined ? undefined : { reasons: [spread], resolvable: true };
}

/** Whether it wants a port of the host itself that another has, on the same address or on all. */
export function wantsTakenPort(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = portsOf(pod);
  return (
    wanted.length > 0 && others.flatMap(portsOf).some((taken) => wanted.some((one) => clash(one, taken)))
  );
}

interface HostPort {
  readonly port: string;
  readonly address: string;
}

const EVERYWHERE = '0.0.0.0';

const clash = (one: HostPort, other: HostPort): boolean =>
  one.port === other.port &&
  (one.address === other.address || [one.address, other.address].includes(EVERYWHERE));

/** Ports of the host itself that the pod takes. */
function portsOf({ spec }: Pod): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, containerPort, protocol = 'TCP' }) => {
      const port = hostPort ?? (spec.hostNetwork ? containerPort : 0);
      return port > 0 ? [{ port: `${protocol} ${port}`, address: hostIP || EVERYWHERE }] : [];
    }),
  );
}

/** What the node has too little of besides what these pods have asked for, in the scheduler's words. */
export function shortages(pod: Pod, node: Node, pods: readonly Pod[]): string[] {
  const allocatable = node.status?.allocatable;
  // A node that has not said what it has is not asked.
  if (!allocatable) return [];
  const short = milliOf(allocatable['pods']) < (pods.length + 1) * 1000 ? ['Too many pods'] : [];
  const used = sumOf(pods.map(({ spec }) => podAmounts(spec, 'requests')));
  const wanted: Amounts = podAmounts(pod.spec, 'requests');
  for (const [name, amount] of wanted) {
    const unlisted = allocatable[name] === undefined && UNCOUNTED.has(name);
    const free = milliOf(allocatable[name]) - (used.get(name) ?? 0);
    if (amount > 0 && !unlisted && amount > free) short.push(`Insufficient ${name}`);
  }
  return short;
}

/** Resources that the node may leave out without having none of them. */
const UNCOUNTED = new Set(['ephemeral-storage']);
