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
  const endpoints = slices
    .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name)
    .flatMap((slice) => endpointsAt(slice, port.name ?? ''));
  // Slices made by others may leave conditions out: that means ready.
  const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
  const leaving = endpoints.filter(({ conditions }) => conditions?.serving && conditions.terminating);
  return (ready.length > 0 ? ready : leaving).map(({ target }) => target);
}

function endpointsAt(slice: EndpointSlice, portName: string) {
  const number = slice.ports.find(({ name = '' }) => name === portName)?.port;
  if (number === undefined) return [];
  return slice.endpoints.flatMap(({ addresses, conditions }) =>
    addresses.map((address) => ({ target: { address, port: number }, conditions: conditions as Conditions })),
  );
}
