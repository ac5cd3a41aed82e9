import type { PodSpec as SandboxSpec } from '@updraft/pods';
import type { Pod } from '../kinds/pod.ts';
import { hostnameOf } from './container-spec.ts';
import type { KubeletServices } from './services.ts';

const MAX_NAME = 63;

/** What the runtime calls a pod. */
export const sandboxName = ({ metadata: { name, uid } }: Pod) =>
  `${name.replaceAll('.', '-').slice(0, MAX_NAME - 9)}-${uid.slice(0, 8)}`;

/** What the containers of a pod share, for the runtime: its name, host names and the way names are looked up. */
export function sandboxSpec(
  { clusterDomain }: Pick<KubeletServices, 'clusterDomain'>,
  pod: Pod,
): SandboxSpec {
  const { metadata, spec } = pod;
  const { namespace = 'default', name, labels = {} } = metadata;
  const own = spec.dnsConfig ?? {};
  const cluster = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  const usesCluster = spec.dnsPolicy !== 'None' && spec.dnsPolicy !== 'Default';
  const options = (own.options ?? []).map((option) =>
    option.value ? `${option.name}:${option.value}` : option.name,
  );
  const hosts = (spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }) =>
    hostnames.map((host) => [host, ip] as const),
  );
  return {
    name: sandboxName(pod),
    lasting: true,
    hostname: hostnameOf(pod),
    labels: { ...labels, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.name': name },
    hosts: Object.fromEntries(hosts),
    dnsSearch: [...(usesCluster ? cluster : []), ...(own.searches ?? [])],
    dnsOptions: [
      ...(usesCluster && !options.some((one) => one.startsWith('ndots')) ? ['ndots:5'] : []),
      ...options,
    ],
  };
}
