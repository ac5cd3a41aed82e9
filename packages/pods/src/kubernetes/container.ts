import type { ClusterApi } from './api.ts';
import type { Clock } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { Container, ContainerExit, ContainerSpec, ContainerStats, ContainerStreams } from '../types.ts';
import { runExec } from './exec-session.ts';
import { statusOf } from './pod-status.ts';
import type { PodObject } from './pod-status.ts';
import { startProcess } from './process.ts';
import type { PodProcess, ProcessPlace } from './process.ts';

/** Starts what the pod's main container is there for: a process that is as good as a container of its own. */
export async function startInMain(
  place: ProcessPlace,
  spec: ContainerSpec,
  streams: ContainerStreams,
): Promise<Container> {
  const process = await startProcess(
    place,
    {
      command: spec.command,
      env: spec.env,
      workingDir: spec.workingDir,
      terminal: spec.terminal === true,
    },
    streams,
  );
  const execs = new Set<PodProcess>();
  const exited = process.exited.then(async (exit) => {
    await endAll(execs);
    return exit;
  });
  const requireRunning = () => {
    if (process.ended) throw new PodsFault('GONE', `the process ${spec.name} has ended`);
  };
  return {
    name: spec.name,
    pid: undefined,
    stdin: process.stdin,
    exited,
    kill: (signal) => process.kill(signal),
    resize: (columns, rows) => process.resize?.(columns, rows),
    async stop(graceMs, signal) {
      if (!process.ended && graceMs > 0) {
        await process.signalAll(signal ?? spec.stopSignal ?? 'SIGTERM');
        await endsWithin(place.clock, exited, graceMs);
      }
      await process.signalAll('SIGKILL');
      await exited;
    },
    async exec(command, options) {
      requireRunning();
      const { env = spec.env, workingDir = spec.workingDir, terminal = false, user } = options;
      refuseUser(user);
      const other = await startProcess(place, { command, env, workingDir, terminal }, options);
      execs.add(other);
      void other.exited.then(() => execs.delete(other));
      return other;
    },
    async stats() {
      requireRunning();
      return measured(place);
    },
  };
}

async function endAll(processes: ReadonlySet<PodProcess>): Promise<void> {
  await Promise.all(
    [...processes].map(async (process) => {
      await process.signalAll('SIGKILL').catch(() => undefined);
      await process.exited;
    }),
  );
}

async function endsWithin(clock: Clock, exited: Promise<unknown>, ms: number): Promise<void> {
  const patience = new AbortController();
  await Promise.race([exited, clock.sleep(ms, patience.signal).catch(() => undefined)]);
  patience.abort();
}

function refuseUser(user: string | undefined): void {
  if (user === undefined) return;
  throw new PodsFault('UNSUPPORTED', `exec as ${user} cannot be had of a cluster`, {
    next: 'Processes run as the user of their container.',
  });
}

const MEASURES = [
  'for S in /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes; do',
  '[ ! -r "$S" ] || { read -r V <"$S"; echo "memory $V"; }; done;',
  '[ ! -r /sys/fs/cgroup/cpuacct/cpuacct.usage ] || { read -r V </sys/fs/cgroup/cpuacct/cpuacct.usage; echo "cpu $V"; };',
  '[ ! -r /sys/fs/cgroup/cpu.stat ] || while read -r K V; do [ "$K" != usage_usec ] || echo "cpu ${V}000"; done </sys/fs/cgroup/cpu.stat',
].join(' ');

/** What the whole container uses: as exact as this runtime can be without a metrics server. */
async function measured({ api, clock, pod, container }: ProcessPlace): Promise<ContainerStats> {
  const text = await runExec(api, clock, { pod, container, command: ['sh', '-c', `${MEASURES}; :`] });
  const value = (name: string) => new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  const [memory, cpu] = [value('memory'), value('cpu')];
  if (memory !== undefined && cpu !== undefined) {
    return { memoryBytes: Number(memory), cpuNanoseconds: BigInt(cpu) };
  }
  throw new PodsFault('UNSUPPORTED', 'the container does not see its own cgroup');
}

/** What a container that Kubernetes itself has started is watched by. */
export interface BesidePlace extends ProcessPlace {
  readonly api: ClusterApi;
  /** The pod as it is now. */
  look(): Promise<PodObject>;
}

/** Between two looks at a container whose log has ended. */
const LOOK_EVERY_MS = 500;

/** Connects to a container that has started with the pod. What it prints comes in one stream. */
export function watchBeside(place: BesidePlace, name: string, streams: ContainerStreams): Container {
  let ended = false;
  const exited = follow(place, name, streams).finally(() => (ended = true));
  const inIt = { ...place, container: name };
  const refuse = (what: string) => {
    throw new PodsFault('UNSUPPORTED', `${what} a single container of a pod cannot be had of a cluster`, {
      next: 'It ends with its pod.',
    });
  };
  return {
    name,
    pid: undefined,
    stdin: undefined,
    exited,
    kill: async () => refuse('a signal to'),
    stop: async () => {
      if (!ended) refuse('stopping');
    },
    async exec(command, options) {
      if (ended) throw new PodsFault('GONE', `the container ${name} has ended`);
      const { env = {}, workingDir = '/', terminal = false, user } = options;
      refuseUser(user);
      return startProcess(inIt, { command, env, workingDir, terminal }, options);
    },
    stats: () => measured(inIt),
    isReady: async () => statusOf(await place.look(), name)?.ready === true,
  };
}

async function follow(place: BesidePlace, name: string, streams: ContainerStreams): Promise<ContainerExit> {
  const { api, clock, pod } = place;
  let since = '';
  for (;;) {
    const from = clock.now();
    await readLog(api, `${pod}/log?container=${name}&follow=true${since}`, streams).catch(() => undefined);
    if (place.isRemoved()) return { kind: 'exited', code: 137, outOfMemory: false };
    const status = await place.look().then(
      (found) => statusOf(found, name),
      () => undefined,
    );
    const terminated = status?.state?.terminated;
    if (terminated) {
      const { exitCode, reason, message } = terminated;
      if (reason === 'StartError' || reason === 'ContainerCannotRun') {
        return { kind: 'couldNotStart', message: message ?? reason };
      }
      return { kind: 'exited', code: exitCode, outOfMemory: reason === 'OOMKilled' };
    }
    if (!status)
      return {
        kind: 'couldNotStart',
        message: (await place.whyLost()) ?? 'its cluster does not know it any more',
      };
    // The connection broke, or the log was rotated: go on with what is new.
    await clock.sleep(LOOK_EVERY_MS);
    since = `&sinceSeconds=${Math.max(1, Math.ceil((clock.now() - from) / 1000))}`;
    if (clock.now() - from > LOOK_EVERY_MS * 4) since = '&tailLines=0';
  }
}

async function readLog(api: ClusterApi, path: string, { onStdout }: ContainerStreams): Promise<void> {
  for await (const chunk of (await api.stream(path)) as AsyncIterable<Buffer>) await onStdout(chunk);
}
