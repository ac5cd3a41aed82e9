import { BlockList, isIPv4 } from 'node:net';
import type { DnsAnswer, DnsZone, PlatformNetwork } from '@updraft/pods';
import { SERVICE_NAME } from '../controllers/endpoints/slices.ts';
import type { EndpointSlice, Service, SliceEndpoint } from '../kinds/network.ts';
import type { Objects } from '../kinds/objects.ts';

const TTL_SECONDS = 5;

type Answers = ReturnType<DnsZone['lookup']>;

const address = (data: string): DnsAnswer => ({ type: 'A', ttlSeconds: TTL_SECONDS, data });

/**
 * The cluster's names: `service.namespace.svc.<domain>`, the pods of headless Services, SRV of named ports,
 * `a-b-c-d.namespace.pod.<domain>`, and the way back from a Service's address. Read from the store at each question.
 */
export function clusterZone(
  objects: Objects,
  clusterDomain: string,
  ranges: Pick<PlatformNetwork, 'podCidr' | 'serviceCidr'>,
): DnsZone {
  const suffix = `.${clusterDomain}`;
  const own = new BlockList();
  for (const range of [ranges.podCidr, ranges.serviceCidr]) {
    const [base = '', bits = ''] = range.split('/');
    own.addSubnet(base, Number(bits), 'ipv4');
  }
  return {
    apex: clusterDomain,
    lookup(name, type) {
      if (type === 'PTR' && name.endsWith(REVERSE)) return reverse(objects, name, { clusterDomain, own });
      if (name === clusterDomain) return [];
      if (!name.endsWith(suffix)) return undefined;
      const labels = name.slice(0, -suffix.length).split('.');
      const kind = labels.at(-1);
      if (kind === 'svc') return serviceAnswer(objects, labels.slice(0, -1), { type, name });
      return kind === 'pod' ? podAnswer(labels.slice(0, -1), type) : 'NXDOMAIN';
    },
  };
}

interface Question {
  readonly type: Parameters<DnsZone['lookup']>[1];
  readonly name: string;
}

function serviceAnswer(objects: Objects, labels: readonly string[], question: Question): Answers {
  const namespace = labels.at(-1) ?? '';
  const service = objects.get('services', namespace, labels.at(-2) ?? '');
  if (labels.length === 1 && objects.get('namespaces', undefined, namespace)) return [];
  if (!service) return 'NXDOMAIN';
  const rest = labels.slice(0, -2);
  if (service.spec.type === 'ExternalName') return rest.length > 0 ? 'NXDOMAIN' : aliasOf(service);
  return question.type === 'SRV'
    ? srvAnswer(objects, service, { rest, question })
    : addressAnswer(objects, service, { rest, question });
}

function aliasOf({ spec }: Service): Answers {
  const data = (spec.externalName ?? '').replace(/\.$/, '');
  return [{ type: 'CNAME', ttlSeconds: TTL_SECONDS, data }];
}

function addressAnswer(
  objects: Objects,
  service: Service,
  { rest, question }: { readonly rest: readonly string[]; readonly question: Question },
): Answers {
  if (rest.length > 1) return 'NXDOMAIN';
  const [host] = rest;
  const found = host === undefined ? addressesOf(objects, service) : hostAddresses(objects, service, host);
  if (found === undefined) return 'NXDOMAIN';
  return question.type === 'A' ? found.map(address) : [];
}

function addressesOf(objects: Objects, service: Service): string[] {
  const { clusterIP } = service.spec;
  if (clusterIP && clusterIP !== 'None') return [clusterIP];
  return readyEndpoints(objects, service).flatMap(({ addresses }) => addresses);
}

function slicesOf(objects: Objects, { metadata }: Service): EndpointSlice[] {
  const slices = objects.list('endpointslices.discovery.k8s.io', metadata.namespace);
  return slices.filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === metadata.name);
}

function readyEndpoints(objects: Objects, service: Service): SliceEndpoint[] {
  return slicesOf(objects, service)
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ conditions }) => conditions?.ready ?? true);
}

/** One pod of a Service, by its host name or by its address with dashes. */
function hostAddresses(objects: Objects, service: Service, host: string): string[] | undefined {
  const found = readyEndpoints(objects, service).filter(
    (endpoint) => endpoint.hostname === host || endpoint.addresses[0]?.replaceAll('.', '-') === host,
  );
  return found.length > 0 ? found.flatMap(({ addresses }) => addresses) : undefined;
}

function srvAnswer(
  objects: Objects,
  service: Service,
  { rest, question }: { rest: readonly string[]; question: Question },
): Answers {
  const [portName, protocol] = rest.map((label) => label.replace(/^_/, ''));
  if (rest.length === 0) return [];
  const suffix = question.name.split('.').slice(rest.length).join('.');
  const answer = (port: number, target: string): DnsAnswer => ({
    type: 'SRV',
    ttlSeconds: TTL_SECONDS,
    data: `0 100 ${port} ${target}`,
  });
  const matches = (port: { name?: string; protocol?: string }) =>
    port.name === portName && (port.protocol ?? 'TCP').toLowerCase() === protocol;
  const ports = (service.spec.ports ?? []).filter(matches);
  if (ports.length === 0) return 'NXDOMAIN';
  if (service.spec.clusterIP !== 'None') return ports.map(({ port }) => answer(port, suffix));
  return slicesOf(objects, service).flatMap(({ endpoints, ports: all }) =>
    all
      .filter(matches)
      .flatMap(({ port }) =>
        endpoints
          .filter(({ conditions }) => conditions?.ready ?? true)
          .map((endpoint) =>
            answer(port, `${endpoint.hostname ?? endpoint.addresses[0]?.replaceAll('.', '-')}.${suffix}`),
          ),
      ),
  );
}

function podAnswer(labels: readonly string[], type: Question['type']): Answers {
  const [dashed = ''] = labels;
  if (labels.length !== 2 || !/^\d{1,3}(-\d{1,3}){3}$/.test(dashed)) return 'NXDOMAIN';
  return type === 'A' ? [address(dashed.replaceAll('-', '.'))] : [];
}

const REVERSE = '.in-addr.arpa';

/** What an address is called: a Service, or a pod behind one. Others of the cluster's own are called nothing. */
function reverse(
  objects: Objects,
  name: string,
  { clusterDomain, own }: { readonly clusterDomain: string; readonly own: BlockList },
): Answers {
  const wanted = name.slice(0, -REVERSE.length).split('.').toReversed().join('.');
  const service = objects.list('services').find(({ spec }) => spec.clusterIP === wanted);
  const names = service
    ? [serviceName(service.metadata, clusterDomain)]
    : podNames(objects, wanted, clusterDomain);
  if (names.length === 0) return isIPv4(wanted) && own.check(wanted) ? 'NXDOMAIN' : undefined;
  return names.map((data) => ({ type: 'PTR', ttlSeconds: TTL_SECONDS, data }));
}

const serviceName = ({ name, namespace }: { name: string; namespace?: string }, clusterDomain: string) =>
  `${name}.${namespace}.svc.${clusterDomain}`;

function podNames(objects: Objects, wanted: string, clusterDomain: string): string[] {
  return objects.list('endpointslices.discovery.k8s.io').flatMap(({ metadata, endpoints }) => {
    const service = metadata.labels?.[SERVICE_NAME];
    const endpoint = endpoints.find(({ addresses }) => addresses.includes(wanted));
    if (service === undefined || !endpoint) return [];
    const host = endpoint.hostname ?? wanted.replaceAll('.', '-');
    return [`${host}.${serviceName({ ...metadata, name: service }, clusterDomain)}`];
  });
}
