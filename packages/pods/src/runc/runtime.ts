import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { Undo, run } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { PodsFault, programFault, requireName, requireRoot } from '../fault.ts';
import type { BridgeNetwork } from '../network/platform-network.ts';
import { HOST_LINK } from '../network/pod-links.ts';
import type { LinkRecord, PodLink } from '../network/pod-links.ts';
import type { AdoptedPod, Pod, PodSpec, Runtime } from '../types.ts';
import { adoptablePods, findPod, writePodRecord } from './adopt.ts';
import { boundingSet } from './capabilities.ts';
import { findCgroups, limitingControllers, removeGroup, swapLimitable } from './cgroups.ts';
import type { Cgroups } from './cgroups.ts';
import type { Machine } from './machine.ts';
import { mountOverlay } from './overlay.ts';
import { RuncPod, writePodFiles } from './pod.ts';
import type { PodParts } from './pod.ts';
import { sweepRemains } from './sweep.ts';
import { TargetLayers } from './target-layers.ts';

export interface RuncRuntimeOptions {
  /** The platform's id: 6 hexadecimal digits. */
  readonly id: string;
  /** A folder of the runtime's own, on a file system that can hold an overlay's upper directory. */
  readonly dir: string;
  /** Absent: only pods with `network: 'none'`. */
  readonly network?: BridgeNetwork;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Pods as runc containers. Nothing outlives the pods but `dir` itself; one runtime of an id may live at a time.
 * @throws PodsFault NOT_ROOT, PROGRAM_MISSING, CGROUPS_UNUSABLE, OVERLAY_UNSUPPORTED
 */
export async function createRuncRuntime(options: RuncRuntimeOptions): Promise<Runtime> {
  requireRoot();
  const machine = await prepareMachine(options);
  return new RuncRuntime(machine, options.dir);
}

async function prepareMachine({ id, dir, network, clock, logger }: RuncRuntimeOptions): Promise<Machine> {
  const cgroups = await findCgroups();
  await mkdir(dir, { recursive: true });
  // What containers write lies there as they wrote it, programs that run as root included.
  await chmod(dir, 0o700);
  const targets = path.join(dir, 'targets');
  // Containers that live on stand on them.
  if ((await adoptablePods(podsFolder(dir))).length === 0)
    await rm(targets, { recursive: true, force: true });
  const machine: Machine = {
    group: `/updraft-${id}`,
    state: path.join(dir, 'state'),
    targets: new TargetLayers(targets),
    cgroups,
    capabilities: boundingSet(await readFile('/proc/self/status', 'utf8')),
    limitable: await findLimitable(cgroups, logger),
    network,
    clock,
    logger,
  };
  await mkdir(machine.state, { recursive: true, mode: 0o700 });
  const plain = await machine.targets.layerFor([], '/');
  await Promise.all([requireRunc(), tryOverlay(plain, path.join(dir, 'probe'))]);
  return machine;
}

const podsFolder = (dir: string) => path.join(dir, 'pods');

/** A limit that cannot be held is said once, here, and then left out. */
async function findLimitable(cgroups: Cgroups, logger: Logger): Promise<ReadonlySet<string>> {
  const controllers = await limitingControllers(cgroups);
  const missing = ['memory', 'cpu', 'pids'].filter((name) => !controllers.has(name));
  if (missing.length > 0)
    logger.log('warn', 'this host cannot limit some resources of containers', { missing });
  return (await swapLimitable(cgroups)) ? new Set([...controllers, 'swap']) : controllers;
}

/** What is missing is to be known when the platform starts, not when the first job does. */
async function requireRunc(): Promise<void> {
  await run('runc', ['--version']).catch((error: unknown) => {
    throw programFault('runc', error);
  });
}

async function tryOverlay(lower: string, folder: string): Promise<void> {
  const undo = new Undo();
  undo.add(() => rm(folder, { recursive: true, force: true }));
  try {
    const paths = { upper: path.join(folder, 'upper'), target: path.join(folder, 'root') };
    const overlay = await mountOverlay({ lower: [lower], ...paths });
    undo.add(() => overlay.remove());
  } finally {
    await undo.close();
  }
}

class RuncRuntime implements Runtime {
  readonly kind = 'runc';
  readonly #machine: Machine;
  readonly #dir: string;
  /** A name is taken from the moment its pod is asked for; it is listed once it exists. */
  readonly #names = new Set<string>();
  readonly #pods = new Map<string, Pod>();

  constructor(machine: Machine, dir: string) {
    this.#machine = machine;
    this.#dir = dir;
  }

  async createPod(spec: PodSpec): Promise<Pod> {
    requireName('pod', spec.name);
    if (this.#names.has(spec.name)) throw new PodsFault('NAME_TAKEN', `a pod ${spec.name} exists`);
    this.#names.add(spec.name);
    try {
      const pod = await this.#create(spec);
      this.#pods.set(spec.name, pod);
      return pod;
    } catch (error) {
      this.#names.delete(spec.name);
      throw error;
    }
  }

  list(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  async sweep(options: { lasting?: boolean } = {}): Promise<{ removed: readonly string[] }> {
    const folder = podsFolder(this.#dir);
    const adoptable = new Set(options.lasting ? [] : await adoptablePods(folder));
    const isAlive = (name: string) => this.#names.has(name) || adoptable.has(name);
    const swept = await sweepRemains(this.#machine, folder, isAlive);
    if (options.lasting) await this.#machine.network?.dropLeft();
    const { cgroups, group, clock } = this.#machine;
    if (this.#names.size === 0 && adoptable.size === 0) await removeGroup(cgroups, group, clock);
    return swept;
  }

  async adopt(name: string): Promise<AdoptedPod | undefined> {
    requireName('pod', name);
    if (this.#names.has(name)) throw new PodsFault('NAME_TAKEN', `a pod ${name} exists`);
    this.#names.add(name);
    try {
      const adopted = await this.#adopt(name);
      if (adopted) this.#pods.set(name, adopted.pod);
      else this.#names.delete(name);
      return adopted;
    } catch (error) {
      this.#names.delete(name);
      throw error;
    }
  }

  async #adopt(name: string): Promise<AdoptedPod | undefined> {
    const folder = path.join(podsFolder(this.#dir), name);
    const found = await findPod(this.#machine, folder);
    if (!found) return undefined;
    const { spec, link, intact, lastSerial } = found;
    const pod = new RuncPod({ ...this.#parts(spec, link), lastSerial });
    return { pod, intact, containers: found.containers.map((container) => pod.rejoin(container)) };
  }

  #parts(spec: PodSpec, link: PodLink): PodParts {
    const { network } = this.#machine;
    return {
      machine: this.#machine,
      spec,
      folder: path.join(podsFolder(this.#dir), spec.name),
      link,
      gateway: link.address === undefined ? undefined : network?.gateway,
      onRemoved: () => {
        this.#pods.delete(spec.name);
        this.#names.delete(spec.name);
      },
    };
  }

  async #create(spec: PodSpec): Promise<Pod> {
    const { network } = this.#machine;
    if (!network) {
      throw new PodsFault('UNSUPPORTED', 'this runtime was made without a network');
    }
    const link = await linkFor(network, spec);
    const parts = this.#parts(spec, link);
    try {
      await writePodFiles(parts);
      if (spec.lasting) await writePodRecord(parts.folder, { spec, link: recordOf(link) });
      return new RuncPod(parts);
    } catch (error) {
      if (link !== HOST_LINK) await network.detach(link);
      throw error;
    }
  }
}

async function linkFor(network: BridgeNetwork, spec: PodSpec): Promise<PodLink> {
  if (spec.network === 'host') return HOST_LINK;
  return spec.network === 'none'
    ? await network.isolate()
    : await network.attach(spec.gatewayPortsOnLoopback ?? [], {
        lasting: spec.lasting === true,
        unreachable: spec.unreachable === true,
      });
}

const recordOf = ({ device, address, ports }: PodLink): LinkRecord => ({
  ...(device === undefined ? {} : { device }),
  ...(address === undefined ? {} : { address }),
  ports,
});
