import type { PlatformNetwork, ServiceForward } from '@updraft/pods';
import type { Service, ServicePort } from '../../kinds/network.ts';
import type { Objects } from '../../kinds/objects.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { targetsOf } from './targets.ts';

const DEFAULT_AFFINITY_SECONDS = 10_800;

/** Keeps the network's Service addresses equal to the Services and their endpoints. One key: the whole set goes at once. */
export function serviceForwardsController(context: ControllerContext, network: PlatformNetwork): Controller {
  let last = '';
  return {
    name: 'service-forwards',
    resources: ['services', 'endpointslices.discovery.k8s.io'],
    keys: () => ['all'],
    reconcile: async () => {
      const forwards = forwardsOf(context.objects, network.gateway);
      const text = JSON.stringify(forwards);
      if (text === last) return;
      await network.setServices(forwards);
      last = text;
    },
  };
}

export function forwardsOf(objects: Objects, nodeAddress: string): ServiceForward[] {
  return objects
    .list('services')
    .flatMap((service) =>
      (service.spec.ports ?? []).flatMap((port) => portForwards(objects, service, port, nodeAddress)),
    );
}

function portForwards(
  objects: Objects,
  service: Service,
  port: ServicePort,
  nodeAddress: string,
): ServiceForward[] {
  const { clusterIP, sessionAffinity, sessionAffinityConfig } = service.spec;
  const protocol = port.protocol === 'UDP' ? 'udp' : 'tcp';
  const timeout = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  const shared = {
    protocol,
    targets: targetsOf(objects, service, port),
    ...(sessionAffinity === 'ClientIP' ? { affinitySeconds: timeout } : {}),
  } as const;
  const forwards: ServiceForward[] = [];
  if (clusterIP && clusterIP !== 'None') forwards.push({ address: clusterIP, port: port.port, ...shared });
  if (port.nodePort) forwards.push({ address: nodeAddress, port: port.nodePort, ...shared });
  return forwards;
}
