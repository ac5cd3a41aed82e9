import { constants } from 'node:os';
import { stat } from 'node:fs/promises';
import { messageOf, start } from '@updraft/kit';
import type { Clock, Exit, RunningProcess } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
import { OutputPipes } from '../output-pipes.ts';
import { sendSignal } from '../signals.ts';
import type {
  Container,
  ContainerExit,
  ContainerSpec,
  ContainerStreams,
  Pod,
  PodSpec,
  Process,
  Runtime,
} from '../types.ts';

export interface HostRuntimeOptions {
  readonly clock: Clock;
}

/**
 * "Containers" that are plain processes of this host, as this user: no isolation, no network of their own, no limits,
 * no root file system. For jobs that name no image. Mounts are refused, unless they bind a folder to its own path.
 */
export function createHostRuntime({ clock }: HostRuntimeOptions): Runtime {
  const pods = new Map<string, Pod>();
  return {
    kind: 'host',
    list: () => [...pods.values()],
    // A process group needs no remains: there is nothing on the host that could be found again.
    sweep: async () => ({ removed: [] }),
    adopt: async () => undefined,
    async createPod(spec) {
      requireName('pod', spec.name);
      if (pods.has(spec.name)) throw new PodsFault('NAME_TAKEN', `a pod ${spec.name} exists`);
      const pod = new HostPod(spec, clock, () => pods.delete(spec.name));
      pods.set(spec.name, pod);
      return pod;
    },
  };
}

class HostPod implements Pod {
  readonly name: string;
  readonly address = undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #onRemoved: () => void;
  readonly #containers = new Map<string, Promise<Container>>();
  #removal: Promise<void> | undefined;

  constructor(spec: PodSpec, clock: Clock, onRemoved: () => void) {
    this.name = spec.name;
    this.labels = spec.labels ?? {};
    this.#clock = clock;
    this.#onRemoved = onRemoved;
  }

  async start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container> {
    requireName('container', spec.name);
    if (this.#removal) throw new PodsFault('GONE', `the pod ${this.name} is being removed`);
    if (this.#containers.has(spec.name)) {
      throw new PodsFault('NAME_TAKEN', `a container ${spec.name} is running in the pod ${this.name}`);
    }
    const starting = startOnHost(spec, streams, this.#clock);
    this.#containers.set(spec.name, starting);
    const forget = () => this.#containers.delete(spec.name);
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
    const started = await Promise.allSettled(this.#containers.values());
    await Promise.all(
      started.flatMap((result) => (result.status === 'fulfilled' ? [result.value.stop(0)] : [])),
    );
    this.#onRemoved();
  }
}

async function startOnHost(spec: ContainerSpec, streams: ContainerStreams, clock: Clock): Promise<Container> {
  requireNoIsolation(spec);
  const first = await startGroup(spec.command, { ...spec, streams, clock });
  const execs = new Set<HostProcess>();
  const exited = first.exited.then(async (exit) => {
    for (const process of execs) process.signal('SIGKILL');
    await Promise.all([...execs].map((process) => process.exited));
    return exit;
  });
  const requireRunning = () => {
    if (first.ended || first.pid === undefined)
      throw new PodsFault('GONE', `the process ${spec.name} has ended`);
  };
  return {
    name: spec.name,
    pid: first.pid,
    stdin: first.stdin,
    exited,
    kill: (signal) => first.kill(signal),
    async stop(graceMs, signal) {
      if (!first.ended && graceMs > 0) {
        first.signal(signal ?? spec.stopSignal ?? 'SIGTERM');
        const patience = new AbortController();
        await Promise.race([exited, clock.sleep(graceMs, patience.signal).catch(() => undefined)]);
        patience.abort();
      }
      first.signal('SIGKILL');
      await exited;
    },
    async exec(command, options) {
      requireRunning();
      if (options.terminal) refuse('a terminal');
      const place = { env: options.env ?? spec.env, workingDir: options.workingDir ?? spec.workingDir };
      const process = await startGroup(command, { ...place, streams: options, clock });
      execs.add(process);
      void process.exited.then(() => execs.delete(process));
      return process;
    },
    async stats() {
      requireRunning();
      throw new PodsFault('UNSUPPORTED', 'processes of the host are not measured');
    },
  };
}

function refuse(what: string): never {
  throw new PodsFault('UNSUPPORTED', `${what} cannot be had without a container`, {
    next: 'Name an image, so that the job runs in a container.',
  });
}

/** What cannot be had without isolation is refused, never ignored in silence. */
function requireNoIsolation(spec: ContainerSpec): void {
  if (spec.rootFs.layers.length > 0) refuse('an image');
  if (spec.terminal) refuse('a terminal');
  if (spec.processesOf !== undefined) refuse('the process tree of another');
  for (const mount of spec.mounts ?? []) {
    if (mount.kind !== 'bind' || mount.source !== mount.target) refuse(`a mount at ${mount.target}`);
  }
}

interface HostProcess extends Process {
  readonly pid: number | undefined;
  readonly ended: boolean;
  signal(name: string): void;
}

interface GroupOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly streams: ContainerStreams;
  readonly clock: Clock;
}

/** Starts a program in a process group of its own; what is left of the group when the program ends is killed. */
async function startGroup(command: readonly string[], options: GroupOptions): Promise<HostProcess> {
  const { env, workingDir, streams, clock } = options;
  const [program = '', ...args] = command;
  const folder = await stat(workingDir || '/').catch(() => undefined);
  if (!folder?.isDirectory()) return stillborn(`there is no folder ${workingDir}`);
  const pipes = new OutputPipes(streams);
  pipes.release();
  let running: RunningProcess;
  try {
    running = await start(program, args, { env, cwd: workingDir || '/', stdio: [...pipes.stdio] });
  } catch (error) {
    pipes.close();
    return stillborn(messageOf(error));
  }
  pipes.closeChildEnds();
  let ended = false;
  const signal = (name: string) => {
    if (!ended) sendSignal(-running.pid, name);
  };
  const finish = async (): Promise<ContainerExit> => {
    const exit = await running.exited;
    sendSignal(-running.pid, 'SIGKILL');
    ended = true;
    await pipes.drained(clock);
    return { kind: 'exited', code: exitCode(exit), outOfMemory: false };
  };
  const exited = finish();
  return {
    pid: running.pid,
    stdin: pipes.stdin,
    exited,
    signal,
    kill: async (name) => signal(name),
    get ended() {
      return ended;
    },
  };
}

function stillborn(message: string): HostProcess {
  const exited = Promise.resolve<ContainerExit>({ kind: 'couldNotStart', message });
  return {
    pid: undefined,
    stdin: undefined,
    ended: true,
    exited,
    signal: () => undefined,
    kill: async () => undefined,
  };
}

/** As shells tell it: 128 and the number of the signal. */
function exitCode({ code, signal }: Exit): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}
