import type { ServiceForward } from '@updraft/pods';
import type { Objects } from '../../kinds/objects.ts';
import type { ContainerPort, Pod } from '../../kinds/pod.ts';
import { isFinished } from '../pods.ts';
import { LOOPBACK } from './external-addresses.ts';
import type { ClusterRanges } from './external-addresses.ts';

const EVERYWHERE = ['', '0.0.0.0'];
const PROTOCOLS: Readonly<Record<string, 'tcp' | 'udp'>> = { TCP: 'tcp', UDP: 'udp' };

const hostPortsOf = ({ spec }: Pod): ContainerPort[] =>
  // Who is in the host's network has its ports anyway.
  spec.hostNetwork === true
    ? []
    : [...spec.containers, ...(spec.initContainers ?? [])]
        .flatMap(({ ports }) => ports ?? [])
        .filter(({ hostPort }) => hostPort);

export const hasHostPort = (pod: Pod): boolean => hostPortsOf(pod).length > 0;

/** Ports of the node's address and of the host's loopback that lead to a pod; the scheduler sees to it that each has one. */
export function hostPortForwards(
  objects: Objects,
  { gateway }: Pick<ClusterRanges, 'gateway'>,
): ServiceForward[] {
  return objects
    .list('pods')
    .filter((pod) => pod.status?.podIP !== undefined && !isFinished(pod))
    .flatMap((pod) => hostPortsOf(pod).flatMap((port) => forwardsTo(pod, port, gateway)));
}

function forwardsTo(pod: Pod, port: ContainerPort, gateway: string): ServiceForward[] {
  const { hostPort = 0, hostIP = '', containerPort, protocol: name = 'TCP' } = port;
  const protocol = PROTOCOLS[name];
  if (!protocol) return [];
  const targets = [{ address: pod.status?.podIP ?? '', port: containerPort }];
  return [gateway, LOOPBACK]
    .filter((address) => EVERYWHERE.includes(hostIP) || hostIP === address)
    .map((address) => ({ address, port: hostPort, protocol, targets }));
}
