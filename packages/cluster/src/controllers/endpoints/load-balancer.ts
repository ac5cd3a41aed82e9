import { readFile } from 'node:fs/promises';
import type { PlatformNetwork } from '@updraft/pods';
import type { Service } from '../../kinds/network.ts';
import type { Objects } from '../../kinds/objects.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import type { Again } from '../work-queue.ts';
import { LOOPBACK, mayBeExternal } from './external-addresses.ts';

const RETRY_MS = 15_000;
const SOURCE = 'service-lb-controller';

export interface LoadBalancerOptions {
  readonly network: Pick<PlatformNetwork, 'gateway' | 'podCidr' | 'serviceCidr'>;
  /** TCP ports that some program of the host listens on at its loopback. */
  readonly takenPorts: () => Promise<ReadonlySet<number>>;
}

/**
 * Gives Services of the type LoadBalancer the host's loopback, by their own port numbers, as long as these are nobody
 * else's; until then they are pending, and say why.
 */
export function loadBalancerController(context: ControllerContext, options: LoadBalancerOptions): Controller {
  return {
    name: 'load-balancer',
    resources: ['services'],
    keys: ({ object, previous }) =>
      [object, previous].some((one) => one?.spec?.['type'] === 'LoadBalancer' || one?.spec?.['externalIPs'])
        ? [keyOf(object)]
        : [],
    reconcile: (key) => balance(context, options, key),
  };
}

async function balance(
  context: ControllerContext,
  options: LoadBalancerOptions,
  key: string,
): Promise<Again> {
  const { objects } = context;
  const { namespace, name } = splitKey(key);
  const service = objects.get('services', namespace, name);
  if (!service) return undefined;
  warnAboutExternals(context, options, service);
  const wanted = service.spec.type === 'LoadBalancer' && !service.spec.loadBalancerClass;
  const conflict = wanted ? await conflictOf(objects, service, options) : undefined;
  if (conflict !== undefined) {
    context.events.as(SOURCE).warning(service, 'PortUnavailable', conflict);
  }
  publish(context, service, wanted && conflict === undefined);
  return conflict === undefined ? undefined : { afterMs: RETRY_MS };
}

const isPublished = ({ status }: Service) => (status?.loadBalancer?.ingress?.length ?? 0) > 0;

function publish({ objects, events }: ControllerContext, service: Service, gets: boolean): void {
  if (gets === isPublished(service)) return;
  const { namespace, name } = service.metadata;
  objects.modify('services', namespace, name, (stored) => {
    stored.status = { ...stored.status, loadBalancer: gets ? { ingress: [{ ip: LOOPBACK }] } : {} };
  });
  if (gets) events.as(SOURCE).normal(service, 'EnsuredLoadBalancer', `Reachable at ${LOOPBACK}`);
}

/** Why the Service's ports cannot be had at the loopback; undefined: they can. */
async function conflictOf(
  objects: Objects,
  service: Service,
  options: LoadBalancerOptions,
): Promise<string | undefined> {
  const ports = (service.spec.ports ?? []).map(({ port, protocol = 'TCP' }) => ({ port, protocol }));
  const others = objects
    .list('services')
    .filter((other) => other.metadata.uid !== service.metadata.uid && isPublished(other));
  const taken = await options.takenPorts();
  for (const { port, protocol } of ports) {
    const other = others.find(({ spec }) =>
      spec.ports?.some((one) => one.port === port && (one.protocol ?? 'TCP') === protocol),
    );
    if (other) return `port ${port} of ${LOOPBACK} belongs to Service ${keyOf(other)}`;
    if (protocol === 'TCP' && taken.has(port)) {
      return `port ${port} of ${LOOPBACK} is taken by a program of this machine`;
    }
  }
  return undefined;
}

function warnAboutExternals(
  { events }: ControllerContext,
  { network }: LoadBalancerOptions,
  service: Service,
): void {
  const refused = (service.spec.externalIPs ?? []).filter((address) => !mayBeExternal(address, network));
  if (refused.length === 0) return;
  const message = `not served, for they belong to the host or to the cluster: ${refused.join(', ')}`;
  events.as(SOURCE).warning(service, 'ExternalIPRefused', message);
}

const LISTENING = '0A';

/** Ports of the host's loopback, or of every address, that are listened on. */
export async function listeningPorts(): Promise<ReadonlySet<number>> {
  const texts = await Promise.all(
    ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const ports = new Set<number>();
  for (const line of texts.join('\n').split('\n')) {
    const [, local = '', , state] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    const isLoopback = /^0+$/.test(address) || address === '0100007F' || address.endsWith('0100007F');
    if (state === LISTENING && isLoopback) ports.add(Number.parseInt(port, 16));
  }
  return ports;
}
