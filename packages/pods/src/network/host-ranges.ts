import { readTextIfPresent, runOrThrow } from '@updraft/kit';
import { parseCidr } from './cidr.ts';
import type { Cidr } from './cidr.ts';

interface Route {
  readonly dst?: string;
}

interface Device {
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/** Ranges this host has a use for: its routes, its addresses, its name servers. */
export async function busyRanges(): Promise<Cidr[]> {
  const [routes, devices, resolvers] = await Promise.all([
    runOrThrow('ip', ['-4', '-j', 'route', 'show', 'table', 'all']),
    runOrThrow('ip', ['-4', '-j', 'addr', 'show']),
    hostResolvers(),
  ]);
  const addresses = (parseList(devices) as Device[]).flatMap((device) => device.addr_info ?? []);
  return [
    ...(parseList(routes) as Route[]).map((route) => route.dst ?? ''),
    ...addresses.map((address) => `${address.local}/${address.prefixlen}`),
    ...resolvers,
  ]
    .map(parseCidr)
    .filter((range) => range !== undefined);
}

/** `ip -j` prints nothing at all when there is nothing to list. */
function parseList(json: string): unknown[] {
  return json.trim() === '' ? [] : (JSON.parse(json) as unknown[]);
}

/** The name servers the host itself asks. */
export async function hostResolvers(): Promise<string[]> {
  const text = (await readTextIfPresent('/etc/resolv.conf')) ?? '';
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
}
