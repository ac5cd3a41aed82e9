import { isIPv4 } from 'node:net';
import type { EndpointSlice, Service, ServicePort, SliceEndpoint } from '../../kinds/network.ts';
import type { Objects } from '../../kinds/objects.ts';
import { SERVICE_NAME } from './slices.ts';

type Conditions = Partial<SliceEndpoint['conditions']> | undefined;

export interface Target {
  readonly address: string;
  readonly port: number;
}

/**
 * Where connections to a Service's port go: its ready endpoints; while there is none, those that are shutting down but
 * still serve, so that the last pod of a rollout is not given up a moment too early.
 */
export function targetsOf(objects: Objects, service: Service, port: ServicePort): Target[] {
  const { namespace, name } = service.metadata;
  const slices = objects.list('endpointslices.discovery.k8s.io', namespace);
  return targetsIn(
    slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name),
    port,
  );
}

/** The same, of the Service's own slices. */
export function targetsIn(slices: readonly EndpointSlice[], port: ServicePort): Target[] {
  const endpoints = slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap((slice) => endpointsAt(slice, port));
  // Slices made by others may leave conditions out: that means ready.
  const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
  const leaving = endpoints.filter(({ conditions }) => conditions?.serving && conditions.terminating);
  return (ready.length > 0 ? ready : leaving).map(({ target }) => target);
}

/** All slices, by `namespace/name` of the Service that they belong to. */
export function slicesByService(objects: Objects): ReadonlyMap<string, readonly EndpointSlice[]> {
  const found = new Map<string, EndpointSlice[]>();
  for (const slice of objects.list('endpointslices.discovery.k8s.io')) {
    const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME]}`;
    const group = found.get(key);
    if (group) group.push(slice);
    else found.set(key, [slice]);
  }
  return found;
}

function endpointsAt(slice: EndpointSlice, { name: wanted = '', protocol: kind = 'TCP' }: ServicePort) {
  const port = slice.ports.find(
    ({ name = '', protocol = 'TCP' }) => name === wanted && protocol === kind,
  )?.port;
  if (port === undefined) return [];
  // One that is no address would keep the rules of all Services from being written.
  return slice.endpoints.flatMap(({ addresses, conditions }) =>
    addresses
      .filter((address) => isIPv4(address))
      .map((address) => ({ target: { address, port }, conditions: conditions as Conditions })),
  );
}
