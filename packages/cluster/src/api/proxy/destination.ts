import type { Duplex } from 'node:stream';
import { messageOf } from '@updraft/kit';
import { SERVICE_NAME } from '../../controllers/endpoints/slices.ts';
import type { EndpointSlice, Service, ServicePort } from '../../kinds/network.ts';
import { typedObjects } from '../../kinds/objects.ts';
import type { Pod } from '../../kinds/pod.ts';
import type { KubeObject } from '../../store/types.ts';
import type { ApiContext } from '../context.ts';
import { ApiFault, badRequest, notFound, unknownPath } from '../status.ts';
import { portOf } from '../streams/port-forward.ts';
import type { Target } from '../target.ts';

/** Where a request to `pods/…/proxy` or `services/…/proxy` goes. */
export interface Destination {
  readonly scheme: 'http' | 'https';
  /** What the server there is to be called. */
  readonly host: string;
  /** @throws ApiFault 503 when nobody listens there */
  connect(): Promise<Duplex>;
}

type Reach = Pick<ApiContext, 'store' | 'kubelet'>;

interface Named {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

const DEFAULT_PORT = { http: 80, https: 443 };

/** @throws ApiFault 400, 404, 503 */
export function destinationOf(context: ApiContext, target: Target): Destination {
  const { type, namespace, plural } = target;
  const named = readName(target.name ?? '', plural);
  const proxied = plural === 'pods' || plural === 'services';
  if (!type || type.group !== '' || !proxied) throw unknownPath();
  const object = context.store.get(type.storedAs, namespace, named.name);
  if (!object) throw notFound(type, named.name);
  return plural === 'pods'
    ? toPod(context, object, named)
    : toService(context, object as unknown as Service, named);
}

/** `NAME`, `NAME:PORT`, `SCHEME:NAME:PORT` with an empty SCHEME or PORT for the usual one. */
function readName(text: string, plural: string): Named {
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || !['', 'http', 'https'].includes(scheme) || name === '')
    throw badRequest(`invalid ${plural.slice(0, -1)} request ${JSON.stringify(text)}`);
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

function toPod(context: ApiContext, pod: KubeObject, { scheme, port: asked }: Named): Destination {
  const { containers } = (pod as unknown as Pod).spec;
  const first = containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const port = asked === '' ? (first ?? DEFAULT_PORT[scheme]) : portOf(asked);
  if (port === undefined) throw badRequest(`invalid port ${JSON.stringify(asked)}`);
  return {
    scheme,
    host: `${textOf(pod.status?.['podIP'])}:${port}`,
    connect: () => connect(context, pod, port),
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/** A port of a Service, for the server's own calls. @throws ApiFault 503 */
export function serviceDestination(
  context: Reach,
  at: { readonly namespace: string; readonly name: string; readonly port: number },
): Destination {
  const service = context.store.get('services', at.namespace, at.name);
  if (!service) throw unavailable(`service ${JSON.stringify(at.name)} not found`);
  return toService(context, service as unknown as Service, { scheme: 'https', port: String(at.port) });
}

function toService(
  context: Reach,
  service: Service,
  { scheme, port: asked }: Pick<Named, 'scheme' | 'port'>,
): Destination {
  const { namespace, name } = service.metadata;
  const none = unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const port = portNamed(service, asked);
  if (!port) throw none;
  const slices = typedObjects(context.store)
    .list('endpointslices.discovery.k8s.io', namespace)
    .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name);
  const ready = slices.flatMap((slice) => endpointsAt(slice, port.name ?? ''));
  const endpoint = ready[Math.floor(Math.random() * ready.length)];
  if (!endpoint) throw none;
  const pod =
    endpoint.podName === undefined ? undefined : context.store.get('pods', namespace, endpoint.podName);
  if (!pod) {
    // Addresses that somebody wrote by hand may be this machine's own, which its users are not to reach this way.
    throw unavailable(`endpoint ${endpoint.address} of service ${JSON.stringify(name)} is no pod`);
  }
  return {
    scheme,
    host: `${endpoint.address}:${endpoint.port}`,
    connect: () => connect(context, pod, endpoint.port),
  };
}

/** A port by its name or number. @throws ApiFault 503 */
function portNamed({ spec, metadata }: Service, asked: string): ServicePort | undefined {
  const ports = spec.ports ?? [];
  if (!/^\d+$/.test(asked)) return ports.find(({ name = '' }) => name === asked);
  const found = ports.find(({ port }) => port === Number(asked));
  if (found) return found;
  throw unavailable(`no service port ${asked} found for service ${JSON.stringify(metadata.name)}`);
}

function endpointsAt(slice: EndpointSlice, portName: string) {
  const port = slice.ports.find(({ name = '' }) => name === portName)?.port;
  if (port === undefined) return [];
  return slice.endpoints
    .filter(({ conditions }) => (conditions as { ready?: boolean } | undefined)?.ready ?? true)
    .flatMap(({ addresses, targetRef }) =>
      addresses.map((address) => ({
        address,
        port,
        podName: targetRef?.kind === 'Pod' ? targetRef.name : undefined,
      })),
    );
}

async function connect(context: Reach, pod: KubeObject, port: number): Promise<Duplex> {
  try {
    return await context.kubelet.forward(pod, port);
  } catch (error) {
    throw unreachable(messageOf(error));
  }
}

export const unreachable = (why: string) => unavailable(`error trying to reach service: ${why}`);

function unavailable(message: string): ApiFault {
  return new ApiFault(503, 'ServiceUnavailable', message);
}
