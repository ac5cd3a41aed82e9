import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { existsSync } from 'node:fs';
import { messageOf, run } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { PodsFault, programFault, requirePort } from '../fault.ts';
import { mountTargets } from '../mounts.ts';
import { bindMount, unmount } from '../system-calls.ts';
import { deleteLinks, forgetLink, keepLink } from './remains.ts';
import type { AddressPool } from './address-pool.ts';
import type { BridgeGuard } from './bridge-guard.ts';

/** One pod's end of the network: a namespace kept by a file, joined to the bridge. */
export interface PodLink {
  /** File that holds the network namespace. */
  readonly namespace: string;
  readonly address: string | undefined;
  readonly ports: readonly number[];
  /** The host's end of it. */
  readonly device?: string | undefined;
}

/** A pod's end of the network as it is written down for a later process. */
export interface LinkRecord {
  readonly device?: string;
  readonly address?: string;
  readonly ports: readonly number[];
}

export interface LinkOptions {
  readonly lasting?: boolean;
  /** An address that other pods may not open connections to. */
  readonly unreachable?: boolean;
}

/** The machine's own network: nothing of it is a pod's to change or to take away. */
export const HOST_LINK: PodLink = {
  namespace: `/proc/${process.pid}/ns/net`,
  address: undefined,
  ports: [],
};

export interface PodLinksOptions {
  readonly id: string;
  /** The network's folder; the namespace files lie in `namespaces`. */
  readonly dir: string;
  /** File that holds the host's network namespace. */
  readonly hostNamespace: string;
  readonly bridgeIndex: number;
  readonly gateway: string;
  readonly addresses: AddressPool;
  readonly closedAddresses: AddressPool;
  readonly guard: BridgeGuard;
  /** Devices, with their addresses, of an earlier process that are left for pods which live on. */
  readonly left: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How many are kept ready: making one costs a process, so it is done before it is needed. */
const SPARE = 2;
/** Making spares waits until the pod that took one has started: it would compete with it. */
const REFILL_MS = 150;
/** The kernel takes a dead namespace's devices away by itself; after this long they are taken away by name. */
const LINGER_MS = 2000;

interface LinkKind {
  readonly ports: readonly number[];
  readonly unreachable: boolean;
}

const keyOf = ({ ports, unreachable }: LinkKind) => `${ports.join()} ${unreachable}`;

/** Makes, keeps ready and takes away the pods' ends of the network. */
export class PodLinks {
  readonly #options: PodLinksOptions;
  readonly #spare = new Map<string, Promise<PodLink>[]>();
  readonly #devices = new Map<PodLink, string>();
  readonly #dying = new Set<string>();
  readonly #left: Map<string, string>;
  #counter = 0;
  #closed = false;

  constructor(options: PodLinksOptions) {
    this.#options = options;
    const numbers = [...options.left.keys()].map((device) =>
      Number.parseInt(device.slice(`ud${options.id}`.length), 36),
    );
    this.#counter = Math.max(0, ...numbers.filter(Number.isInteger));
    this.#left = new Map(options.left);
  }

  /**
   * A link of an earlier process, by its namespace file or by a process that is in it. undefined: it is gone.
   * @param pid any process in the namespace
   */
  async rejoin(
    { device, address, ports }: LinkRecord,
    pid: number | undefined,
  ): Promise<PodLink | undefined> {
    if (device === undefined || address === undefined || !this.#left.has(device)) return undefined;
    const namespace = this.#fileOf(device);
    const isMounted = (await mountTargets()).includes(namespace);
    if (!isMounted && pid === undefined) return undefined;
    if (!isMounted) bindMount(`/proc/${pid}/ns/net`, await this.#namespaceFile(device));
    this.#left.delete(device);
    const link: PodLink = { namespace, address, ports, device };
    this.#devices.set(link, device);
    return link;
  }

  /** Takes away what an earlier process left and nobody has joined. */
  async dropLeft(): Promise<void> {
    const left = [...this.#left];
    this.#left.clear();
    for (const [device, address] of left) {
      const namespace = this.#fileOf(device);
      unmount(namespace);
      await rm(namespace, { force: true });
      await forgetLink(this.#options.dir, device);
      this.#free(device, address);
    }
    if (left.length > 0) await deleteLinks(left.map(([device]) => device));
  }

  /** A joined namespace in which `ports` of the loopback lead to the gateway. */
  async take(ports: readonly number[], options: LinkOptions = {}): Promise<PodLink> {
    const kind: LinkKind = { ports, unreachable: options.unreachable === true };
    const ready = this.#spare.get(keyOf(kind))?.shift();
    this.#options.clock.timer(REFILL_MS, () => this.#refill(kind));
    // A spare that could not be made says nothing about the next one.
    const link = await (ready ? ready.catch(() => this.#make(kind)) : this.#make(kind));
    const { device, address } = link;
    if (options.lasting && device && address) await keepLink(this.#options.dir, device, address);
    return link;
  }

  /** A namespace with nothing but its loopback. */
  async takeIsolated(): Promise<PodLink> {
    this.#counter += 1;
    const namespace = await this.#namespaceFile(`isolated-${this.#counter}`);
    await enter(namespace, 'link set lo up\n');
    return { namespace, address: undefined, ports: [] };
  }

  /** Ends the namespace; processes that are still in it lose their network. */
  async release(link: PodLink): Promise<void> {
    unmount(link.namespace);
    await rm(link.namespace, { force: true });
    const device = this.#devices.get(link);
    this.#devices.delete(link);
    if (link.address && device) this.#free(device, link.address);
    if (!device) return;
    await forgetLink(this.#options.dir, device);
    this.#dying.add(device);
    this.#options.clock.timer(LINGER_MS, () => void this.#bury());
  }

  async close(): Promise<void> {
    this.#closed = true;
    const spare = [...this.#spare.values()].flat();
    this.#spare.clear();
    const links = await Promise.allSettled(spare);
    for (const link of links) if (link.status === 'fulfilled') await this.release(link.value);
    for (const link of this.#devices.keys()) await this.release(link);
    await this.#bury();
  }

  /** The address is given to another pod only when nobody can use it by the old one's device. */
  #free(device: string, address: string): void {
    const { addresses, closedAddresses, guard } = this.#options;
    guard.forget(device, address);
    addresses.free(address);
    closedAddresses.free(address);
  }

  #refill(kind: LinkKind): void {
    if (this.#closed) return;
    const key = keyOf(kind);
    const spare = this.#spare.get(key) ?? [];
    this.#spare.set(key, spare);
    while (spare.length < SPARE) {
      const link = this.#make(kind);
      link.catch((error: unknown) => {
        this.#spare.set(
          key,
          spare.filter((other) => other !== link),
        );
        this.#options.logger.log('warn', 'no spare pod network', { error: messageOf(error) });
      });
      spare.push(link);
    }
  }

  async #make({ ports, unreachable }: LinkKind): Promise<PodLink> {
    const { id, hostNamespace, bridgeIndex, gateway, addresses, closedAddresses, guard } = this.#options;
    this.#counter += 1;
    const device = `ud${id}${this.#counter.toString(36)}`;
    const namespace = await this.#namespaceFile(device);
    const address = (unreachable ? closedAddresses : addresses).take();
    const link: PodLink = { namespace, address, ports, device };
    this.#devices.set(link, device);
    try {
      // Run inside the new namespace: the veth's other end is made in the host's, already in the bridge and up.
      await enter(
        namespace,
        `link set lo up
link add ${device} netns "${hostNamespace}" master if${bridgeIndex} up type veth peer name eth0
addr add ${address}/32 dev eth0
link set eth0 addrgenmode none up
route add ${gateway} dev eth0
route add default via ${gateway}
`,
      );
      // Where bridges pass through netfilter, a pod that reaches itself by a service comes back on the port it left.
      await writeFile(`/sys/class/net/${device}/brport/hairpin_mode`, '1');
      guard.admit(device, address);
      if (ports.length > 0) await redirectLoopback(namespace, ports, gateway);
      return link;
    } catch (error) {
      await this.release(link);
      throw error;
    }
  }

  #fileOf(name: string): string {
    return path.join(this.#options.dir, 'namespaces', name);
  }

  async #namespaceFile(name: string): Promise<string> {
    const file = this.#fileOf(name);
    await mkdir(path.dirname(file), { recursive: true });
    await (await open(file, 'w')).close();
    return file;
  }

  async #bury(): Promise<void> {
    const left = [...this.#dying].filter((device) => existsSync(`/sys/class/net/${device}`));
    this.#dying.clear();
    if (left.length > 0) await deleteLinks(left);
  }
}

/** Makes a network namespace, kept by `file`, and runs `ip` commands in it. */
async function enter(file: string, commands: string): Promise<void> {
  const args = [`--net=${file}`, 'ip', '-batch', '-'];
  const result = await run('unshare', args, { input: commands }).catch((error: unknown) => {
    throw programFault('unshare', error);
  });
  if (result.code === 0) return;
  throw new PodsFault('PROGRAM_FAILED', `cannot make a pod's network: ${result.stderr.trim()}`);
}

async function redirectLoopback(namespace: string, ports: readonly number[], gateway: string): Promise<void> {
  for (const port of ports) requirePort(port);
  const input = `table ip updraft {
  chain output {
    type nat hook output priority -100;
    ip daddr 127.0.0.1 tcp dport { ${ports.join(', ')} } dnat to ${gateway}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr 127.0.0.1 oifname "eth0" masquerade
  }
}
`;
  const result = await run('nsenter', [`--net=${namespace}`, 'nft', '-f', '-'], { input });
  if (result.code !== 0) {
    throw new PodsFault('PROGRAM_FAILED', `cannot redirect the loopback's ports: ${result.stderr.trim()}`);
  }
}
