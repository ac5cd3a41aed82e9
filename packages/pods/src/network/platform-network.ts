import { readFile, writeFile } from 'node:fs/promises';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Undo, run, runOrThrow } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { startNameServer } from '../dns/name-server.ts';
import type { NameServer } from '../dns/name-server.ts';
import { PodsFault, programFault, requireRoot } from '../fault.ts';
import { bindMount, unmount } from '../system-calls.ts';
import type { PlatformNetwork } from '../types.ts';
import { AddressPool } from './address-pool.ts';
import { formatCidr, numberToAddress, pickRanges } from './cidr.ts';
import type { Cidr } from './cidr.ts';
import { BridgeGuard } from './bridge-guard.ts';
import { Firewall } from './firewall.ts';
import type { FirewallFacts } from './firewall.ts';
import { busyRanges, hostResolvers } from './host-ranges.ts';
import { closeForeignChains, openForeignChains } from './foreign-chains.ts';
import { PodLinks } from './pod-links.ts';
import type { LinkOptions, LinkRecord, PodLink } from './pod-links.ts';
import { clearRemains, deleteLinks, keepRanges } from './remains.ts';
import type { LeftNetwork } from './remains.ts';

/** The network of one platform with what only this room's runtimes use of it. */
export interface BridgeNetwork extends PlatformNetwork {
  readonly bridge: string;
  /** A network namespace for a pod; `ports` of its loopback lead to the gateway. */
  attach(ports: readonly number[], options?: LinkOptions): Promise<PodLink>;
  /**
   * A lasting pod's link that an earlier process made; undefined: it is gone.
   * @param pid any process in the pod's network
   */
  reattach(record: LinkRecord, pid: number | undefined): Promise<PodLink | undefined>;
  /** Takes away the links an earlier process left that nobody has reattached. */
  dropLeft(): Promise<void>;
  /** A network namespace with its loopback alone. */
  isolate(): Promise<PodLink>;
  detach(link: PodLink): Promise<void>;
}

export interface NetworkOptions {
  /** The platform's id: 6 hexadecimal digits. */
  readonly id: string;
  /** A folder of the network's own; removed with it. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where names go that no zone knows. Default: the name servers of the host's /etc/resolv.conf. */
  readonly resolvers?: readonly string[];
}

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/**
 * Makes the bridge, rules and name server of a platform. What an earlier process of the same platform left is
 * replaced, but not under lasting pods: bridge, addresses and service rules stay as they are. One per platform may exist at a time; platforms do not disturb each other.
 * @throws PodsFault NOT_ROOT, PROGRAM_MISSING, NO_FREE_NETWORK, DNS_PORT_IN_USE, PROGRAM_FAILED; nothing is left behind.
 */
export async function createNetwork(options: NetworkOptions): Promise<BridgeNetwork> {
  requireRoot();
  const undo = new Undo();
  try {
    return await build(options, undo);
  } catch (error) {
    await undo.close();
    throw programFault(programOf(error), error);
  }
}

function programOf(error: unknown): string {
  const found = error instanceof Error ? /the program (\S+) is not installed/.exec(error.message) : null;
  return found?.[1] ?? 'ip';
}

async function build(options: NetworkOptions, undo: Undo): Promise<BridgeNetwork> {
  const { id, dir, clock, logger } = options;
  const bridge = `ud-${id}`;
  await closeForeignChains(`updraft_${id}`, logger);
  const left = await clearRemains(dir, id);
  const ranges = left?.ranges ?? (await chooseRanges(id));
  const facts: FirewallFacts = {
    table: `updraft_${id}`,
    bridge,
    gateway: numberToAddress(ranges[0].base + 1),
    podCidr: formatCidr(ranges[0]),
    closedCidr: formatCidr(closedHalf(ranges[0])),
    serviceCidr: formatCidr(ranges[1]),
  };
  const { gateway } = facts;
  undo.add(() => rm(dir, { recursive: true, force: true }));
  await enableForwarding(logger, undo);
  const hostNamespace = await keepHostNamespace(dir, undo);
  undo.add(() => deleteLinks([bridge]));
  if (!left) await makeBridge(bridge, gateway, ranges);
  const bridgeIndex = await indexOf(bridge);
  await keepRanges(dir, [facts.podCidr, facts.serviceCidr]);
  const firewall = await makeFirewall(facts, left, { logger, undo });
  const guard = await makeGuard(id, left, { gateway, logger, undo });
  undo.add(() => closeForeignChains(facts.table, logger));
  await openForeignChains({ bridge, gateway, mark: facts.table }, logger);
  const names = await startNames(options, gateway, undo);
  const links = new PodLinks({
    id,
    dir,
    hostNamespace,
    bridgeIndex,
    gateway,
    addresses: poolOf(openHalf(ranges[0]), 2, left),
    closedAddresses: poolOf(closedHalf(ranges[0]), 0, left),
    guard,
    left: left?.links ?? new Map(),
    clock,
    logger,
  });
  undo.add(() => links.close());
  logger.log('info', 'network is up', { ...facts, gateway });
  return {
    ...rulesOf(firewall, facts),
    bridge,
    gateway,
    podCidr: facts.podCidr,
    serviceCidr: facts.serviceCidr,
    addZone: (zone) => names.addZone(zone),
    attach: async (ports, attaching) => {
      await firewall.openPorts(ports);
      return links.take(ports, attaching);
    },
    reattach: (record, pid) => links.rejoin(record, pid),
    dropLeft: () => links.dropLeft(),
    isolate: () => links.takeIsolated(),
    detach: (link) => links.release(link),
    remove: () => undo.close(),
  };
}

async function startNames(
  { clock, logger, resolvers }: NetworkOptions,
  address: string,
  undo: Undo,
): Promise<NameServer> {
  const ask = resolvers ? () => Promise.resolve(resolvers) : hostResolvers;
  const names = await startNameServer({ address, clock, logger, resolvers: ask });
  undo.add(() => names.close());
  return names;
}

type Parts = { readonly logger: Logger; readonly undo: Undo };

async function makeFirewall(
  facts: FirewallFacts,
  left: LeftNetwork | undefined,
  { logger, undo }: Parts,
): Promise<Firewall> {
  undo.add(async () => void (await run('nft', ['delete', 'table', 'ip', facts.table])));
  const inherited = left !== undefined && (await hasTable(facts.table));
  const firewall = new Firewall(facts, { logger, inherited });
  await firewall.apply();
  return firewall;
}

async function makeGuard(
  id: string,
  left: LeftNetwork | undefined,
  { gateway, logger, undo }: Parts & { readonly gateway: string },
): Promise<BridgeGuard> {
  const guard = new BridgeGuard(id, logger);
  undo.add(() => guard.close());
  await guard.open({ mac: macOf(gateway), gateway, pods: left?.links ?? new Map() });
  return guard;
}

type Rules = Pick<PlatformNetwork, 'setServices' | 'setTraffic' | 'openGatewayPorts'>;

const rulesOf = (firewall: Firewall, { bridge }: FirewallFacts): Rules => ({
  setServices: async (services) => {
    if (services.some(({ address }) => address.startsWith('127.'))) await routeLoopback(bridge);
    await firewall.setServices(services);
  },
  setTraffic: (rules) => firewall.setTraffic(rules),
  openGatewayPorts: (ports) => firewall.openPorts(ports),
});

async function chooseRanges(id: string): Promise<readonly [Cidr, Cidr]> {
  const ranges = pickRanges(id, await busyRanges());
  if (ranges) return ranges;
  throw new PodsFault('NO_FREE_NETWORK', 'no free range of addresses is left in 10.128.0.0/9', {
    next: 'Take away routes or networks of this host that cover it.',
  });
}

/** For pods that others may reach: its first two addresses are the network's own and the gateway's. */
const openHalf = ({ base, prefix }: Cidr): Cidr => ({ base, prefix: prefix + 1 });

/** For pods that nobody may open connections to: one rule is enough for all of them. */
const closedHalf = ({ base, prefix }: Cidr): Cidr => ({
  base: base + 2 ** (31 - prefix),
  prefix: prefix + 1,
});

function poolOf(range: Cidr, reserved: number, left: LeftNetwork | undefined): AddressPool {
  const pool = new AddressPool(range, reserved);
  for (const address of left?.links.values() ?? []) pool.reserve(address);
  return pool;
}

const hasTable = async (table: string) => (await run('nft', ['list', 'table', 'ip', table])).code === 0;

/** Connections of the host to its own loopback may then be led to pods; that pods reach the loopback is forbidden before. */
async function routeLoopback(bridge: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
}

function macOf(gateway: string): string {
  const bytes = gateway.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', ...bytes, '01'].join(':');
}

/** The bridge's hardware address is set, for it would else change with the first pod and mislead the others. */
async function makeBridge(bridge: string, gateway: string, ranges: readonly [Cidr, Cidr]): Promise<void> {
  const input = `link add ${bridge} address ${macOf(gateway)} type bridge forward_delay 0
addr add ${gateway}/${ranges[0].prefix} dev ${bridge}
link set ${bridge} up
route add ${formatCidr(ranges[1])} dev ${bridge}
`;
  await runOrThrow('ip', ['-batch', '-'], { input });
  await writeFile(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1').catch(() => undefined);
}

const indexOf = async (device: string) => Number(await readFile(`/sys/class/net/${device}/ifindex`, 'utf8'));

async function enableForwarding(logger: Logger, undo: Undo): Promise<void> {
  if ((await readFile(FORWARDING, 'utf8')).trim() === '1') return;
  logger.log('info', 'this host now forwards IPv4 packets, until the platform goes down', {
    file: FORWARDING,
  });
  await writeFile(FORWARDING, '1');
  undo.add(() => writeFile(FORWARDING, '0'));
}

/** Processes inside a pod's namespace name the host's by this file. */
async function keepHostNamespace(dir: string, undo: Undo): Promise<string> {
  const file = path.join(dir, 'host-namespace');
  await mkdir(dir, { recursive: true });
  await (await open(file, 'w')).close();
  bindMount('/proc/self/ns/net', file);
  undo.add(() => void unmount(file));
  return file;
}
