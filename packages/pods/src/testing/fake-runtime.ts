import { PassThrough } from 'node:stream';
import type { Clock } from '@updraft/kit';
import { systemClock } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
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

/** What a fake process does. Everything is optional: by default it prints nothing and exits with 0 at once. */
export interface FakeBehaviour {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  readonly outOfMemory?: boolean;
  /** The container never starts, for this reason. */
  readonly couldNotStart?: string;
  /** Ends after so long on the clock; 'never': only when it is stopped. Default 0. */
  readonly runsMs?: number | 'never';
  /** Exit code after a stop with grace. Default 143; undefined behaviour of real programs is 'ignores it': give 137. */
  readonly stopCode?: number;
}

/** A container that was started, as a test looks at it. */
export interface FakeContainer {
  readonly pod: PodSpec;
  readonly spec: ContainerSpec;
  readonly container: Container;
  /** What was fed to its standard input so far. */
  readonly input: () => string;
  /** Ends it as if its program had. */
  finish(exit: ContainerExit): void;
}

export interface FakeRuntime extends Runtime {
  /** In the order of their start, those of removed pods included. */
  readonly started: readonly FakeContainer[];
}

export interface FakeOptions {
  /** What a container does; called at each start. */
  readonly run?: (spec: ContainerSpec, pod: PodSpec) => FakeBehaviour;
  /** What an exec does. */
  readonly exec?: (command: readonly string[], spec: ContainerSpec) => FakeBehaviour;
  readonly clock?: Clock;
}

/** A runtime that runs nothing: containers print and end as `run` says. Pods get addresses 10.0.0.1, 10.0.0.2, ... */
export function createFakeRuntime(options: FakeOptions = {}): FakeRuntime {
  const started: FakeContainer[] = [];
  const pods = new Map<string, Pod>();
  let serial = 0;
  return {
    kind: 'runc',
    started,
    list: () => [...pods.values()],
    sweep: async () => ({ removed: [] }),
    adopt: async () => undefined,
    async createPod(spec) {
      requireName('pod', spec.name);
      if (pods.has(spec.name)) throw new PodsFault('NAME_TAKEN', `a pod ${spec.name} exists`);
      serial += 1;
      const address = (spec.network ?? 'pod') !== 'pod' ? undefined : `10.0.${serial >> 8}.${serial & 255}`;
      const pod = new FakePod({ spec, address, options, started, onRemoved: () => pods.delete(spec.name) });
      pods.set(spec.name, pod);
      return pod;
    },
  };
}

interface FakePodParts {
  readonly spec: PodSpec;
  readonly address: string | undefined;
  readonly options: FakeOptions;
  readonly started: FakeContainer[];
  readonly onRemoved: () => void;
}

class FakePod implements Pod {
  readonly name: string;
  readonly address: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly #parts: FakePodParts;
  readonly #running = new Map<string, Container>();
  #removed = false;

  constructor(parts: FakePodParts) {
    this.#parts = parts;
    this.name = parts.spec.name;
    this.address = parts.address;
    this.labels = parts.spec.labels ?? {};
  }

  async start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container> {
    requireName('container', spec.name);
    if (this.#removed) throw new PodsFault('GONE', `the pod ${this.name} is removed`);
    if (this.#running.has(spec.name))
      throw new PodsFault('NAME_TAKEN', `a container ${spec.name} is running`);
    const { options, started, spec: pod } = this.#parts;
    const clock = options.clock ?? systemClock;
    const behaviour = options.run?.(spec, pod) ?? {};
    const first = new FakeProcess(behaviour, streams, clock);
    const container = fakeContainer({ spec, behaviour, first, options, clock });
    this.#running.set(spec.name, container);
    void container.exited.then(() => this.#running.delete(spec.name));
    started.push({ pod, spec, container, input: () => first.input, finish: (exit) => first.finish(exit) });
    return container;
  }

  async remove(): Promise<void> {
    if (this.#removed) return;
    this.#removed = true;
    await Promise.all([...this.#running.values()].map((container) => container.stop(0)));
    this.#parts.onRemoved();
  }
}

interface FakeParts {
  readonly spec: ContainerSpec;
  readonly behaviour: FakeBehaviour;
  readonly first: FakeProcess;
  readonly options: FakeOptions;
  readonly clock: Clock;
}

function fakeContainer({ spec, behaviour, first, options, clock }: FakeParts): Container {
  return {
    name: spec.name,
    pid: behaviour.couldNotStart === undefined ? 4_000_000 : undefined,
    stdin: first.stdin,
    exited: first.exited,
    kill: (signal) => first.kill(signal),
    async stop(graceMs) {
      first.finish({
        kind: 'exited',
        code: graceMs > 0 ? (behaviour.stopCode ?? 143) : 137,
        outOfMemory: false,
      });
      await first.exited;
    },
    async exec(command, execOptions) {
      if (first.ended) throw new PodsFault('GONE', `the container ${spec.name} has ended`);
      const process = new FakeProcess(options.exec?.(command, spec) ?? {}, execOptions, clock);
      void first.exited.then(() => process.finish({ kind: 'exited', code: 137, outOfMemory: false }));
      return process;
    },
    stats: async () => ({ memoryBytes: 1 << 20, cpuNanoseconds: 1_000_000n }),
  };
}

class FakeProcess implements Process {
  readonly stdin: PassThrough | undefined;
  readonly exited: Promise<ContainerExit>;
  input = '';
  ended = false;
  #resolve: (exit: ContainerExit) => void = () => undefined;

  constructor(behaviour: FakeBehaviour, streams: ContainerStreams, clock: Clock) {
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (streams.stdin) {
      this.stdin = new PassThrough();
      this.stdin.on('data', (chunk: Buffer) => {
        this.input += chunk.toString();
      });
      streams.stdin.pipe(this.stdin);
    }
    void this.#behave(behaviour, streams, clock);
  }

  finish(exit: ContainerExit): void {
    this.ended = true;
    this.#resolve(exit);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.finish({ kind: 'exited', code: signal === 'SIGKILL' ? 137 : 143, outOfMemory: false });
  }

  async #behave(behaviour: FakeBehaviour, streams: ContainerStreams, clock: Clock): Promise<void> {
    const { stdout, stderr, couldNotStart, code = 0, outOfMemory = false, runsMs = 0 } = behaviour;
    // Real containers print only after `start` has resolved or later.
    await Promise.resolve();
    if (couldNotStart !== undefined) return this.finish({ kind: 'couldNotStart', message: couldNotStart });
    if (stdout) void streams.onStdout(Buffer.from(stdout));
    if (stderr) void streams.onStderr(Buffer.from(stderr));
    if (runsMs === 'never') return;
    if (runsMs > 0) await clock.sleep(runsMs);
    this.finish({ kind: 'exited', code, outOfMemory });
  }
}
