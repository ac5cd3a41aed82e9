import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, removeTree } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import { HOST_LINK } from '../network/pod-links.ts';
import type { PodLink } from '../network/pod-links.ts';
import type { Container, ContainerSpec, ContainerStreams, LeftContainer, Pod, PodSpec } from '../types.ts';
import { rejoinContainer, startContainer } from './container.ts';
import { holdProcesses } from './process-namespace.ts';
import type { FoundContainer, PodFacts } from './container.ts';
import type { Machine } from './machine.ts';

export interface PodParts {
  readonly machine: Machine;
  readonly spec: PodSpec;
  readonly folder: string;
  readonly link: PodLink;
  readonly gateway: string | undefined;
  /** Called once, when the pod is gone. */
  readonly onRemoved: () => void;
  /** Containers get higher numbers than this. */
  readonly lastSerial?: number;
}

const SILENT: ContainerStreams = { onStdout: () => undefined, onStderr: () => undefined };

/** Files of the pod, in the order of POD_FILES. */
const POD_FILES = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'] as const;

export async function writePodFiles({ spec, folder, link, gateway }: PodParts): Promise<void> {
  await mkdir(folder, { recursive: true });
  const resolver = await resolverFile(spec, gateway);
  const contents = [hostsFile(spec, link.address), `${spec.hostname}\n`, resolver];
  await Promise.all(
    POD_FILES.map((target, index) =>
      writeFile(path.join(folder, path.basename(target)), contents[index] ?? ''),
    ),
  );
}

function hostsFile(spec: PodSpec, address: string | undefined): string {
  const lines = spec.hostsHeading === undefined ? [] : [`# ${spec.hostsHeading}`];
  lines.push('127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback');
  const names = spec.fullName === undefined ? spec.hostname : `${spec.fullName} ${spec.hostname}`;
  lines.push(`${address ?? '127.0.1.1'} ${names}`);
  const others = new Map<string, string[]>();
  for (const [name, target] of Object.entries(spec.hosts ?? {}))
    others.set(target, [...(others.get(target) ?? []), name]);
  for (const [target, shared] of others) lines.push([target, ...shared].join('\t'));
  return `${lines.join('\n')}\n`;
}

async function resolverFile(spec: PodSpec, gateway: string | undefined): Promise<string> {
  if (spec.network === 'host') return (await readTextIfPresent('/etc/resolv.conf')) ?? '';
  const servers = spec.dnsServers ?? (gateway === undefined ? [] : [gateway]);
  const lines = servers.map((server) => `nameserver ${server}`);
  if (spec.dnsSearch?.length) lines.push(`search ${spec.dnsSearch.join(' ')}`);
  if (spec.dnsOptions?.length) lines.push(`options ${spec.dnsOptions.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

export class RuncPod implements Pod {
  readonly name: string;
  readonly address: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly #parts: PodParts;
  readonly #facts: PodFacts;
  readonly #containers = new Map<string, Promise<Container>>();
  /** What was adopted and nobody has attached to. */
  readonly #left = new Map<string, (streams: ContainerStreams) => Promise<Container>>();
  #serial = 0;
  #removal: Promise<void> | undefined;

  constructor(parts: PodParts) {
    const { spec, folder, link } = parts;
    this.#parts = parts;
    this.name = spec.name;
    this.address = link.address;
    this.labels = spec.labels ?? {};
    this.#facts = {
      folder,
      name: spec.name,
      hostname: spec.hostname,
      networkNamespace: link.namespace,
      files: Object.fromEntries(
        POD_FILES.map((target) => [target, path.join(folder, path.basename(target))]),
      ),
      sysctl: { ...kernelSettings(link), ...spec.sysctls },
      lasting: spec.lasting === true,
    };
    this.#serial = parts.lastSerial ?? 0;
  }

  async start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container> {
    if (this.#removal) throw new PodsFault('GONE', `the pod ${this.name} is being removed`);
    if (this.#containers.has(spec.name) || this.#left.has(spec.name)) {
      throw new PodsFault('NAME_TAKEN', `a container ${spec.name} is running in the pod ${this.name}`);
    }
    this.#serial += 1;
    return this.#keep(spec.name, this.#start(spec, { streams, serial: this.#serial }));
  }

  async #start(
    spec: ContainerSpec,
    options: { readonly streams: ContainerStreams; readonly serial: number },
  ): Promise<Container> {
    const { machine } = this.#parts;
    if (spec.processesOf === undefined) return startContainer(machine, this.#facts, spec, options);
    const target = await this.#containers.get(spec.processesOf);
    const namespace = await holdProcesses(
      target?.pid,
      path.join(machine.group, `${this.name}.${spec.processesOf}.`),
    );
    try {
      const processNamespace = namespace.path;
      return await startContainer(machine, this.#facts, spec, { ...options, processNamespace });
    } finally {
      await namespace.release();
    }
  }

  /** A container of the process before; its name is taken until it is attached and has ended. */
  rejoin(found: FoundContainer): LeftContainer {
    const { spec, startedMs } = found.record;
    const attach = (streams: ContainerStreams) =>
      this.#keep(spec.name, rejoinContainer(this.#parts.machine, this.#facts, found, streams));
    this.#left.set(spec.name, attach);
    return {
      name: spec.name,
      labels: spec.labels ?? {},
      startedMs,
      endedMs: found.endedMs,
      attach: async (streams) => {
        if (!this.#left.delete(spec.name)) {
          throw new PodsFault('GONE', `the container ${spec.name} is attached, or was removed`);
        }
        return attach(streams);
      },
    };
  }

  async #keep(name: string, starting: Promise<Container>): Promise<Container> {
    this.#containers.set(name, starting);
    const forget = () => this.#containers.delete(name);
    try {
      const container = await starting;
      void container.exited.then(forget);
      return container;
    } catch (error) {
      forget();
      throw error;
    }
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    const { machine, folder, link, onRemoved } = this.#parts;
    for (const attach of this.#left.values()) void attach(SILENT).catch(() => undefined);
    this.#left.clear();
    const containers = await Promise.allSettled(this.#containers.values());
    await Promise.all(
      containers.flatMap((result) => (result.status === 'fulfilled' ? [result.value.stop(0)] : [])),
    );
    if (link !== HOST_LINK) await machine.network?.detach(link);
    await removeTree(folder);
    onRemoved();
  }
}

/** Any user may listen on any port and ping: it is the pod's own network. */
function kernelSettings(link: PodLink): Record<string, string> {
  if (link === HOST_LINK) return {};
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
    ...(link.ports.length > 0 ? { 'net.ipv4.conf.all.route_localnet': '1' } : {}),
  };
}
