import type { PlatformNetwork, ServiceForward } from '@updraft/pods';
import type { Service, ServicePort } from '../../kinds/network.ts';
import type { Objects } from '../../kinds/objects.ts';
import type { Pod } from '../../kinds/pod.ts';
import { keyOf } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { hasHostPort, hostPortForwards } from './host-ports.ts';
import { LOOPBACK, mayBeExternal } from './external-addresses.ts';
import type { ClusterRanges } from './external-addresses.ts';
import { slicesByService, targetsIn } from './targets.ts';

const DEFAULT_AFFINITY_SECONDS = 10_800;

/**
 * Keeps the network's Service addresses equal to the Services and their endpoints, and the host's ports to the pods that
 * have them, where that is granted. One key: the whole set goes at once.
 */
export function serviceForwardsController(
  context: ControllerContext,
  network: PlatformNetwork,
  { hostPorts }: { readonly hostPorts: boolean },
): Controller {
  let last = '';
  return {
    name: 'service-forwards',
    resources: ['services', 'endpointslices.discovery.k8s.io', ...(hostPorts ? (['pods'] as const) : [])],
    keys: ({ resource, object }) =>
      resource === 'pods' && !hasHostPort(object as unknown as Pod) ? [] : ['all'],
    reconcile: async () => {
      const services = forwardsOf(context.objects, network);
      const ports = hostPorts ? hostPortForwards(context.objects, network) : [];
      const forwards = distinct([...services, ...ports]);
      const text = JSON.stringify(forwards);
      if (text === last) return;
      await network.setServices(forwards);
      last = text;
    },
  };
}

/** Of two Services that claim the same address and port, the older one has it. */
export function forwardsOf(objects: Objects, ranges: ClusterRanges): ServiceForward[] {
  const slices = slicesByService(objects);
  const services = objects
    .list('services')
    .toSorted((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp));
  return distinct(
    services.flatMap((service) => {
      const own = slices.get(keyOf(service)) ?? [];
      return (service.spec.ports ?? []).flatMap((port) =>
        portForwards(service, port, { ranges, targets: targetsIn(own, port) }),
      );
    }),
  );
}

/** The first of those that want the same address and port. */
function distinct(forwards: readonly ServiceForward[]): ServiceForward[] {
  const claimed = new Set<string>();
  return forwards.filter(({ address, port, protocol }) => {
    const key = `${address} ${protocol} ${port}`;
    if (claimed.has(key)) return false;
    claimed.add(key);
    return true;
  });
}

const PROTOCOLS = new Map([
  ['TCP', 'tcp'],
  ['UDP', 'udp'],
] as const);

function portForwards(
  service: Service,
  port: ServicePort,
  { ranges, targets }: { readonly ranges: ClusterRanges; readonly targets: ServiceForward['targets'] },
): ServiceForward[] {
  const { type, sessionAffinity, sessionAffinityConfig } = service.spec;
  const protocol = PROTOCOLS.get((port.protocol ?? 'TCP') as 'TCP');
  if (protocol === undefined || type === 'ExternalName') return [];
  const timeout = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  const shared = {
    protocol,
    targets,
    ...(sessionAffinity === 'ClientIP' ? { affinitySeconds: timeout } : {}),
  } as const;
  const node = port.nodePort ? [ranges.gateway, LOOPBACK] : [];
  return [
    ...portAddresses(service, ranges).map((address) => ({ address, port: port.port, ...shared })),
    ...node.map((address) => ({ address, port: port.nodePort ?? 0, ...shared })),
  ];
}

/** Where a Service has its own port numbers: its cluster address, those given to it, and those of its load balancer. */
function portAddresses({ spec, status }: Service, ranges: ClusterRanges): string[] {
  const cluster = spec.clusterIP && spec.clusterIP !== 'None' ? [spec.clusterIP] : [];
  const external = (spec.externalIPs ?? []).filter((address) => mayBeExternal(address, ranges));
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === LOOPBACK ? [ip] : []));
  return [...new Set([...cluster, ...external, ...(spec.type === 'LoadBalancer' ? balanced : [])])];
}
