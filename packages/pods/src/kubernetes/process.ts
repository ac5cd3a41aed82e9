import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { ContainerExit, ContainerStreams, Process } from '../types.ts';
import type { ClusterApi } from './api.ts';
import { openExec, runExec } from './exec-session.ts';
import type { ExecEnd, ExecSession } from './exec-session.ts';
import { LAUNCHER, MarkedStream, keeper, launchLine, signalCommand, terminalLauncher } from './launcher.ts';
import type { Launch, Told } from './launcher.ts';

const KILLED: ContainerExit = { kind: 'exited', code: 137, outOfMemory: false };

/** A container of a pod of a cluster, where processes are started. */
export interface ProcessPlace {
  readonly api: ClusterApi;
  readonly clock: Clock;
  /** Path of the pod. */
  readonly pod: string;
  readonly container: string;
  /** The pod is being removed by us: what ends now was killed. */
  isRemoved(): boolean;
  /** Why the pod or its container is no more; 'oom' when memory was the reason, undefined when they are there. */
  whyLost(): Promise<string | undefined>;
}

export interface PodProcess extends Process {
  readonly ended: boolean;
  /** To all that it has started as well. Once it has ended nothing happens. */
  signalAll(signal: string): Promise<void>;
}

/** Starts a process in a container that runs. Rejects for what the cluster is to blame for. */
export async function startProcess(
  place: ProcessPlace,
  launch: Omit<Launch, 'mark' | 'stdin'>,
  streams: ContainerStreams,
): Promise<PodProcess> {
  const mark = `\u001e${randomBytes(12).toString('hex')}`;
  const heard: Heard = { last: undefined };
  const started = new Promise<void>((resolve) => (heard.ready = resolve));
  const told = (what: Told) => {
    heard.first ??= what;
    heard.last = what;
    heard.ready?.();
  };
  const marked = new MarkedStream(mark, launch.terminal ? streams.onStdout : streams.onStderr, told);
  const hasInput = streams.stdin !== undefined && !launch.terminal;
  const line = launchLine({ ...launch, mark, stdin: hasInput });
  if (launch.terminal) await keepLine(place, mark, line);
  const session = await openExec(place.api, place.clock, {
    pod: place.pod,
    container: place.container,
    command: launch.terminal ? terminalLauncher(mark) : LAUNCHER,
    terminal: launch.terminal,
    onStdout: launch.terminal ? (chunk) => marked.push(chunk) : streams.onStdout,
    onStderr: launch.terminal ? streams.onStderr : (chunk) => marked.push(chunk),
  });
  if (hasInput && !session.endsInput) {
    session.close();
    throw new PodsFault('UNSUPPORTED', `the cluster ${place.api.name} cannot end a program's input`, {
      next: 'Kubernetes 1.30 and later can.',
    });
  }
  if (!launch.terminal) session.stdin.write(line);
  const exited = session.ended.then(async (end) => {
    marked.end();
    heard.ready?.();
    return exitOf(place, end, heard);
  });
  await started;
  if (streams.stdin) void feed(streams, session);
  return connected(place, session, { exited, pid: pidOf(heard.first) });
}

async function keepLine(
  { api, clock, pod, container }: ProcessPlace,
  mark: string,
  line: string,
): Promise<void> {
  await runExec(api, clock, { pod, container, command: keeper(mark) }, line);
}

const pidOf = (told: Told | undefined): number | undefined =>
  told?.kind === 'started' ? told.pid : undefined;

async function feed({ stdin }: ContainerStreams, session: ExecSession): Promise<void> {
  // A program may end before it has read all its input: its exit code says what happened.
  if (stdin) await pipeline(stdin, session.stdin).catch(() => undefined);
}

interface Heard {
  ready?: () => void;
  first?: Told;
  last: Told | undefined;
}

/** What the launcher told counts; where it could tell nothing any more, the cluster is asked what happened to it. */
async function exitOf(place: ProcessPlace, end: ExecEnd, { first, last }: Heard): Promise<ContainerExit> {
  if (first?.kind === 'refused') return { kind: 'couldNotStart', message: first.message };
  if (place.isRemoved()) return KILLED;
  if (end.kind === 'exited' && last?.kind === 'ended') {
    return { kind: 'exited', code: end.code, outOfMemory: last.outOfMemory };
  }
  if (end.kind === 'failed' && first === undefined) return { kind: 'couldNotStart', message: end.message };
  return exitUntold(place, end);
}

async function exitUntold({ api, whyLost }: ProcessPlace, end: ExecEnd): Promise<ContainerExit> {
  const why = await whyLost();
  if (why === 'oom') return { kind: 'exited', code: 137, outOfMemory: true };
  // A terminal has no room for the launcher's last word.
  if (why === undefined && end.kind === 'exited') {
    return { kind: 'exited', code: end.code, outOfMemory: false };
  }
  return { kind: 'couldNotStart', message: why ?? `the connection to the cluster ${api.name} broke` };
}

function connected(
  place: ProcessPlace,
  session: ExecSession,
  { exited, pid }: { readonly exited: Promise<ContainerExit>; readonly pid: number | undefined },
): PodProcess {
  let ended = false;
  void exited.then(() => (ended = true));
  const signal = async (name: string, everyone: boolean) => {
    if (ended || pid === undefined) return;
    const { api, clock, pod, container } = place;
    const command = signalCommand(pid, name, everyone);
    // A container that has just gone needs no signal.
    await runExec(api, clock, { pod, container, command }).catch(async (error: unknown) => {
      if (!ended && !place.isRemoved()) throw error;
    });
  };
  return {
    stdin: session.stdin,
    exited,
    get ended() {
      return ended;
    },
    kill: (name) => signal(name, false),
    signalAll: (name) => signal(name, true),
    resize: (columns, rows) => session.resize(columns, rows),
  };
}
