import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Undo, messageOf } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
import type { Container, ContainerExit, ContainerSpec, ContainerStreams } from '../types.ts';
import { bundleConfig } from './bundle.ts';
import { ranOutOfMemory, readStats, removeGroup } from './cgroups.ts';
import { execIn } from './exec.ts';
import { prepareFileSystem } from './file-system.ts';
import type { PodFiles } from './file-system.ts';
import { launch } from './launch.ts';
import type { LaunchEnd, Launched } from './launch.ts';
import type { Machine } from './machine.ts';
import { UnknownUser, findIdentity } from './users.ts';
import type { Identity } from './users.ts';

/** What a container gets from its pod. */
export interface PodFacts {
  readonly folder: string;
  readonly name: string;
  readonly hostname: string;
  readonly networkNamespace: string;
  readonly files: PodFiles;
  readonly sysctl: Readonly<Record<string, string>>;
}

/** One start of a container: where its things lie and what runc calls it. */
export interface Attempt {
  readonly id: string;
  readonly folder: string;
  readonly group: string;
}

/**
 * Starts a container and resolves when its program runs or could not be started. Everything it needs is given back
 * before `exited` resolves.
 * @throws PodsFault when the machine is to blame; nothing is left behind.
 */
export async function startContainer(
  machine: Machine,
  pod: PodFacts,
  spec: ContainerSpec,
  options: { streams: ContainerStreams; serial: number },
): Promise<Container> {
  requireName('container', spec.name);
  const id = `${pod.name}.${spec.name}.${options.serial}`;
  const folder = path.join(pod.folder, `${spec.name}.${options.serial}`);
  const attempt: Attempt = { id, folder, group: path.join(machine.group, id) };
  const undo = new Undo();
  try {
    await mkdir(folder, { recursive: true });
    undo.add(() => rm(folder, { recursive: true, force: true }));
    const identity = await prepare(machine, pod, spec, { attempt, undo });
    if (identity instanceof UnknownUser) {
      await undo.close();
      return stillborn(spec.name, messageOf(identity));
    }
    undo.add(() => rm(path.join(machine.state, id), { recursive: true, force: true }));
    undo.add(() => removeGroup(machine.cgroups, attempt.group, machine.clock));
    const launched = await launch({
      state: machine.state,
      folder,
      // Kept, so that its group can still be asked what it died of.
      command: ['run', '--keep', '--bundle', folder],
      container: id,
      streams: options.streams,
      terminal: spec.terminal ?? false,
      clock: machine.clock,
    });
    return new RuncContainer({ machine, pod, spec, attempt, identity, launched, undo });
  } catch (error) {
    await undo.close();
    throw error;
  }
}

/** Mounts the file system and writes the configuration. */
async function prepare(
  machine: Machine,
  pod: PodFacts,
  spec: ContainerSpec,
  { attempt, undo }: { attempt: Attempt; undo: Undo },
): Promise<Identity | UnknownUser> {
  const where = { folder: attempt.folder, layers: machine.targets, podFiles: pod.files };
  const fileSystem = await prepareFileSystem(spec, where, undo);
  try {
    const identity = await findIdentity(fileSystem.root, spec.security?.user ?? '');
    const config = bundleConfig(spec, {
      ...fileSystem,
      hostname: pod.hostname,
      networkNamespace: pod.networkNamespace,
      cgroup: attempt.group,
      identity,
      sysctl: pod.sysctl,
      availableCapabilities: machine.capabilities,
      limitable: machine.limitable,
      machine: process.arch,
    });
    await writeFile(path.join(attempt.folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    return identity;
  } catch (error) {
    if (error instanceof UnknownUser) return error;
    throw error;
  }
}

/** A container that never ran. */
function stillborn(name: string, message: string): Container {
  const gone = () => Promise.reject(new PodsFault('GONE', `the container ${name} could not start`));
  return {
    name,
    pid: undefined,
    stdin: undefined,
    exited: Promise.resolve({ kind: 'couldNotStart', message }),
    kill: async () => undefined,
    stop: async () => undefined,
    exec: gone,
    stats: gone,
  };
}

interface ContainerParts {
  readonly machine: Machine;
  readonly pod: PodFacts;
  readonly spec: ContainerSpec;
  readonly attempt: Attempt;
  readonly identity: Identity;
  readonly launched: Launched;
  readonly undo: Undo;
}

class RuncContainer implements Container {
  readonly name: string;
  readonly exited: Promise<ContainerExit>;
  readonly #parts: ContainerParts;
  #ended = false;
  #execs = 0;

  constructor(parts: ContainerParts) {
    this.#parts = parts;
    this.name = parts.spec.name;
    this.exited = this.#finish(parts);
  }

  get pid(): number | undefined {
    return this.#parts.launched.pid;
  }

  get stdin(): Container['stdin'] {
    return this.#parts.launched.stdin;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#parts.launched.signal(signal);
  }

  resize(columns: number, rows: number): void {
    if (!this.#ended) this.#parts.launched.resize?.(columns, rows);
  }

  async stop(graceMs: number, signal?: string): Promise<void> {
    const { machine, spec } = this.#parts;
    if (!this.#ended && graceMs > 0) {
      this.#parts.launched.signal(signal ?? spec.stopSignal ?? 'SIGTERM');
      const patience = new AbortController();
      const given = machine.clock.sleep(graceMs, patience.signal).catch(() => undefined);
      await Promise.race([this.exited, given]);
      patience.abort();
    }
    this.#parts.launched.signal('SIGKILL');
    await this.exited;
  }

  exec: Container['exec'] = async (command, options) => {
    const { machine, pod, spec, attempt, identity } = this.#parts;
    if (this.#ended || this.pid === undefined)
      throw new PodsFault('GONE', `the container ${this.name} has ended`);
    this.#execs += 1;
    const folder = path.join(attempt.folder, `exec-${this.#execs}`);
    return execIn({ machine, attempt, folder, spec, identity, hostname: pod.hostname }, command, options);
  };

  async stats(): ReturnType<Container['stats']> {
    const { machine, attempt } = this.#parts;
    return readStats(machine.cgroups, attempt.group);
  }

  async #finish({ machine, attempt, launched, undo }: ContainerParts): Promise<ContainerExit> {
    const end = await launched.ended;
    this.#ended = true;
    const outOfMemory = await ranOutOfMemory(machine.cgroups, attempt.group);
    // What it left is reported, not thrown: how the program ended is known and has to be told.
    await undo.close().catch((error: unknown) => {
      machine.logger.log('error', 'a container left something behind', { container: attempt.id, error });
    });
    return toExit(end, outOfMemory);
  }
}

function toExit(end: LaunchEnd, outOfMemory: boolean): ContainerExit {
  return end.kind === 'exited' ? { ...end, outOfMemory } : end;
}
