import type { PodSpec as SandboxSpec } from '@updraft/pods';
import type { Pod } from '../kinds/pod.ts';
import { hostnameOf } from './container-spec.ts';
import { notGranted } from './services.ts';
import type { KubeletServices } from './services.ts';
import { sysctlsOf } from './sysctls.ts';

const MAX_NAME = 63;
/** Lines of resolv.conf that the C library reads. */
const MAX_SERVERS = 3;

/** By this programs tell that it is no file of the image. */
const HOSTS_HEADING = 'Kubernetes-managed hosts file.';

/** What the runtime calls a pod. */
export const sandboxName = ({ metadata: { name, uid } }: Pod) =>
  `${name.replaceAll('.', '-').slice(0, MAX_NAME - 9)}-${uid.slice(0, 8)}`;

type Place = Pick<KubeletServices, 'clusterDomain' | 'nodeAddress' | 'grants'>;

/**
 * What the containers of a pod share, for the runtime: its name, host names and the way names are looked up.
 * @throws Error in the words of the event when the pod wants a part of the host that was not granted
 */
export function sandboxSpec(place: Place, pod: Pod): SandboxSpec {
  requireGrants(place, pod);
  const { metadata, spec } = pod;
  const { namespace = 'default', name, labels = {} } = metadata;
  const fullName = fullNameOf(place, pod);
  const hosts = (spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }) =>
    hostnames.map((host) => [host, ip] as const),
  );
  return {
    name: sandboxName(pod),
    lasting: true,
    hostname: spec.setHostnameAsFQDN && fullName !== undefined ? fullName : hostnameOf(pod),
    ...(fullName === undefined ? {} : { fullName }),
    labels: { ...labels, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.name': name },
    hosts: Object.fromEntries(hosts),
    ...(spec.hostNetwork ? { network: 'host' as const } : { hostsHeading: HOSTS_HEADING }),
    ...resolverOf(place, pod),
    sysctls: sysctlsOf(pod),
  };
}

function requireGrants({ grants }: Place, { spec }: Pod): void {
  for (const want of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[want] !== true) continue;
    if (want !== 'hostNetwork') throw new Error(`${want} is not supported on this cluster`);
    if (!grants.has(want)) throw new Error(notGranted(want));
  }
}

function fullNameOf({ clusterDomain }: Place, pod: Pod): string | undefined {
  const { subdomain } = pod.spec;
  if (subdomain === undefined) return undefined;
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace ?? 'default'}.svc.${clusterDomain}`;
}

/** `None` takes what `dnsConfig` says alone; the platform's name server forwards what it does not know. */
function resolverOf(
  { clusterDomain, nodeAddress }: Place,
  { metadata, spec }: Pod,
): Pick<SandboxSpec, 'dnsServers' | 'dnsSearch' | 'dnsOptions'> {
  const { nameservers = [], searches = [], options: given = [] } = spec.dnsConfig ?? {};
  const usesCluster = spec.dnsPolicy !== 'None' && spec.dnsPolicy !== 'Default';
  const { namespace = 'default' } = metadata;
  const cluster = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  const options = given.map(({ name, value }) => (value ? `${name}:${value}` : name));
  const standard = spec.dnsPolicy === 'None' ? [] : [nodeAddress];
  return {
    dnsServers: [...new Set([...standard, ...nameservers])].slice(0, MAX_SERVERS),
    dnsSearch: [...(usesCluster ? cluster : []), ...searches],
    dnsOptions: [
      ...(usesCluster && !options.some((one) => one.startsWith('ndots')) ? ['ndots:5'] : []),
      ...options,
    ],
  };
}
