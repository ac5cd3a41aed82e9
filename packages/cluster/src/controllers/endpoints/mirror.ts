import type { EndpointAddress, EndpointSlice, EndpointSubset, Service } from '../../kinds/network.ts';
import type { Draft } from '../../kinds/objects.ts';
import { shortHash } from '../naming.ts';
import { MANAGED_BY, SERVICE_NAME } from './slices.ts';

export const MIRROR_CONTROLLER = 'endpointslicemirroring-controller.k8s.io';

/** A part of hand-made Endpoints as a slice, which is what Services are made of. */
export function mirrorOf(service: Service, subset: EndpointSubset, index: number): Draft<EndpointSlice> {
  const { name, namespace, uid } = service.metadata;
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${shortHash(`${uid} mirror ${index}`).slice(0, 5)}`,
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...service.metadata.labels,
        [SERVICE_NAME]: name,
        [MANAGED_BY]: MIRROR_CONTROLLER,
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid }],
      generation: 1,
    },
    addressType: 'IPv4',
    ports: ports.map((port) => ({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' })),
    endpoints: [
      ...addresses.map((address) => endpoint(address, true)),
      ...notReadyAddresses.map((address) => endpoint(address, false)),
    ],
  };
}

function endpoint(address: EndpointAddress, ready: boolean): EndpointSlice['endpoints'][number] {
  const { ip, hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready, serving: ready, terminating: false },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
