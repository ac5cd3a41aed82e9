import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Undo, messageOf, readTextIfPresent, removeTree } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
import type { Container, ContainerExit, ContainerSpec, ContainerStreams } from '../types.ts';
import { bundleConfig } from './bundle.ts';
import { ranOutOfMemory, readStats, removeGroup } from './cgroups.ts';
import { execIn } from './exec.ts';
import { prepareFileSystem } from './file-system.ts';
import type { PodFiles } from './file-system.ts';
import { launch, pidFile, relaunch } from './launch.ts';
import type { LaunchEnd, Launched } from './launch.ts';
import type { Machine } from './machine.ts';
import { unmountBelow } from '../mounts.ts';
import { shimPid } from './shim.ts';
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
  readonly lasting: boolean;
}

/** One start of a container: where its things lie and what runc calls it. */
export interface Attempt {
  readonly id: string;
  readonly folder: string;
  readonly group: string;
}

interface StartOptions {
  readonly streams: ContainerStreams;
  readonly serial: number;
  /** A path to the process namespace it joins; has to stay good until this resolves. */
  readonly processNamespace?: string | undefined;
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
  options: StartOptions,
): Promise<Container> {
  requireName('container', spec.name);
  const id = `${pod.name}.${spec.name}.${options.serial}`;
  const folder = path.join(pod.folder, `${spec.name}.${options.serial}`);
  const attempt: Attempt = { id, folder, group: path.join(machine.group, id) };
  const undo = new Undo();
  try {
    await mkdir(folder, { recursive: true });
    undo.add(() => removeTree(folder));
    const { processNamespace } = options;
    const identity = await prepare(machine, pod, spec, { attempt, undo, processNamespace });
    if (identity instanceof UnknownUser) {
      await undo.close();
      return stillborn(spec.name, messageOf(identity));
    }
    undo.add(() => rm(path.join(machine.state, id), { recursive: true, force: true }));
    undo.add(() => removeGroup(machine.cgroups, attempt.group, machine.clock));
    const lasting = pod.lasting && !spec.terminal && options.streams.stdin === undefined;
    if (lasting) await writeRecord(folder, { spec, identity, startedMs: machine.clock.now() });
    const launched = await launch({
      state: machine.state,
      folder,
      // Kept, so that its group can still be asked what it died of.
      command: ['run', '--keep', '--bundle', folder],
      container: id,
      streams: options.streams,
      terminal: spec.terminal ?? false,
      lasting,
      clock: machine.clock,
    });
    return new RuncContainer({ machine, pod, spec, attempt, identity, launched, undo });
  } catch (error) {
    await undo.close();
    throw error;
  }
}

/** What is kept of a lasting container for a later process. */
export interface ContainerRecord {
  readonly spec: ContainerSpec;
  readonly identity: Identity;
  readonly startedMs: number;
}

const recordFile = (folder: string) => path.join(folder, 'record.json');

/** It holds the environment, as the configuration does: for nobody else's eyes. */
async function writeRecord(folder: string, record: ContainerRecord): Promise<void> {
  await writeFile(recordFile(folder), JSON.stringify(record), { mode: 0o600 });
}

/** A container of an earlier process, as it was found. */
export interface FoundContainer {
  readonly attempt: Attempt;
  readonly record: ContainerRecord;
  /** Of its first process while that runs. */
  readonly pid: number | undefined;
  readonly endedMs: number | undefined;
}

/** Looks what an earlier process left in an attempt's folder; undefined when its program has never run. */
export async function findContainer(
  machine: Machine,
  { folder, id }: Pick<Attempt, 'folder' | 'id'>,
): Promise<FoundContainer | undefined> {
  const pid = Number((await readTextIfPresent(pidFile(folder))) ?? 0);
  const record = parseRecord(await readTextIfPresent(recordFile(folder)));
  if (!record || !pid) return undefined;
  const group = path.join(machine.group, id);
  const groups = (await readTextIfPresent(`/proc/${pid}/cgroup`).catch(() => undefined)) ?? '';
  const runs = groups.includes(group) && (await shimPid(folder, id)) !== undefined;
  const ended = await stat(path.join(folder, 'exit')).catch(() => undefined);
  return { attempt: { id, folder, group }, record, pid: runs ? pid : undefined, endedMs: ended?.mtimeMs };
}

function parseRecord(text: string | undefined): ContainerRecord | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ContainerRecord);
  } catch {
    return undefined;
  }
}

/** Goes on with a container of an earlier process; one that has ended tells so, and is then cleared away. */
export async function rejoinContainer(
  machine: Machine,
  pod: PodFacts,
  { attempt, record, pid }: FoundContainer,
  streams: ContainerStreams,
): Promise<Container> {
  const { folder, id, group } = attempt;
  // Nobody waits for what the dead process ran in it, and the folders' names will be wanted again.
  for (const name of await readdir(folder)) {
    if (name.startsWith('exec-')) await rm(path.join(folder, name), { recursive: true, force: true });
  }
  const undo = new Undo();
  undo.add(() => removeTree(folder));
  undo.add(() => unmountBelow(folder));
  undo.add(() => rm(path.join(machine.state, id), { recursive: true, force: true }));
  undo.add(() => removeGroup(machine.cgroups, group, machine.clock));
  const launched = await relaunch({ folder, container: id, pid, streams, clock: machine.clock });
  return new RuncContainer({ machine, pod, attempt, launched, undo, ...record });
}

interface Preparation extends Pick<StartOptions, 'processNamespace'> {
  readonly attempt: Attempt;
  readonly undo: Undo;
}

/** Mounts the file system and writes the configuration. */
async function prepare(
  machine: Machine,
  pod: PodFacts,
  spec: ContainerSpec,
  { attempt, undo, processNamespace }: Preparation,
): Promise<Identity | UnknownUser> {
  const where = { folder: attempt.folder, layers: machine.targets, podFiles: pod.files };
  const fileSystem = await prepareFileSystem(spec, where, undo);
  try {
    const identity = await findIdentity(fileSystem.root, spec.security?.user ?? '');
    const config = bundleConfig(spec, {
      ...fileSystem,
      hostname: pod.hostname,
      networkNamespace: pod.networkNamespace,
      processNamespace,
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
    const { pid } = this;
    if (this.#ended || pid === undefined) throw new PodsFault('GONE', `the container ${this.name} has ended`);
    this.#execs += 1;
    const folder = path.join(attempt.folder, `exec-${this.#execs}`);
    return execIn(
      { machine, attempt, folder, spec, identity, hostname: pod.hostname, pid },
      command,
      options,
    );
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
