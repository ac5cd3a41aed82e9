import type { Pod } from '../kinds/pod.ts';

/** Settings that belong to a pod's own namespaces and harm nobody else: those Kubernetes allows everywhere. */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** Slashes separate as well as dots do. */
const dotted = (name: string) => name.replaceAll('/', '.');

const given = ({ spec }: Pod) => spec.securityContext?.sysctls ?? [];

export function sysctlsOf(pod: Pod): Record<string, string> {
  return Object.fromEntries(given(pod).map(({ name, value }) => [dotted(name), value]));
}

/** The first setting that would reach beyond the pod; such a pod fails for good. */
export function forbiddenSysctl(pod: Pod): string | undefined {
  return given(pod).find(({ name }) => !SAFE.has(dotted(name)))?.name;
}
