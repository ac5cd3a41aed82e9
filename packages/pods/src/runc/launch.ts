import { readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { readTextIfPresent, start } from '@updraft/kit';
import type { Clock, Exit } from '@updraft/kit';
import { programFault } from '../fault.ts';
import type { ContainerStreams } from '../types.ts';
import { OutputPipes } from '../output-pipes.ts';
import type { Connection } from '../output-pipes.ts';
import { sendSignal } from '../signals.ts';
import { Terminal } from '../terminal.ts';
import { rejoinShim, startShim } from './shim.ts';
import type { Helper } from './shim.ts';
import type { Writable } from 'node:stream';

export interface LaunchOptions {
  /** Where runc keeps its state (`--root`). */
  readonly state: string;
  /** A folder of this launch alone: process id and log are written there. */
  readonly folder: string;
  /** The runc command and its arguments, without the id of the container. */
  readonly command: readonly string[];
  readonly container: string;
  readonly streams: ContainerStreams;
  /** Gives the process a terminal; all it prints then comes as standard output. */
  readonly terminal: boolean;
  /** Goes on when this process dies; without terminal and standard input. */
  readonly lasting?: boolean;
  readonly clock: Clock;
}

/** How a process in a container ended, before anything around it was cleaned up. */
export type LaunchEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'couldNotStart'; readonly message: string };

export interface Launched {
  /** On the host; undefined when the process could not be started. */
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  /** To the process; nothing once it has ended. */
  signal(name: string): void;
  /** Only with a terminal. */
  readonly resize?: (columns: number, rows: number) => void;
  /** Resolves when the process has ended and its output was delivered. */
  readonly ended: Promise<LaunchEnd>;
}

/**
 * Runs `runc run` or `runc exec` in the foreground and resolves when the process in the container runs, or could not
 * be started. runc writes the process id when the program was found and is about to be executed; what it prints to
 * standard error before is its own complaint, which its log has too.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { state, folder, command, container } = options;
  const { streams, only } = witness(options.streams);
  const [verb = '', ...rest] = command;
  const log = ['--log', logFile(folder), '--log-format', 'json'];
  const args = ['--root', state, ...log, verb, '--pid-file', pidFile(folder), ...rest, container];
  const helper = await startHelper(options, args, streams);
  const pid = await startedPid(folder, pidFile(folder), helper.exited);
  helper.connection.release({ drop: pid === undefined });
  return launchedBy(helper, { ...options, pid, started: pid !== undefined, only });
}

/** Connects to a container that an earlier process has launched as lasting; it may have ended since. */
export async function relaunch(
  options: Pick<LaunchOptions, 'folder' | 'container' | 'streams' | 'clock'> & { pid: number | undefined },
): Promise<Launched> {
  const { folder, container, streams } = options;
  const helper = await rejoinShim(folder, container, streams);
  return launchedBy(helper, { ...options, terminal: false, started: true, only: () => '' });
}

const logFile = (folder: string) => path.join(folder, 'log');
export const pidFile = (folder: string) => path.join(folder, 'pid');

async function startHelper(
  { folder, terminal, lasting }: LaunchOptions,
  args: readonly string[],
  streams: ContainerStreams,
): Promise<Helper> {
  if (lasting) {
    return startShim(folder, ['runc', ...args], streams).catch((error: unknown) => {
      throw programFault('sh', error);
    });
  }
  const connection: Connection = terminal ? new Terminal(streams) : new OutputPipes(streams);
  const running = await start('runc', args, { stdio: [...connection.stdio] }).catch((error: unknown) => {
    connection.close();
    throw programFault('runc', error);
  });
  connection.closeChildEnds();
  return { connection, exited: running.exited, kill: (signal) => running.kill(signal) };
}

interface LaunchFacts extends Pick<LaunchOptions, 'folder' | 'terminal' | 'clock'> {
  /** Of the process, if it is there to be signalled. */
  readonly pid: number | undefined;
  /** The program was found and given control. */
  readonly started: boolean;
  /** The beginning of what was printed. */
  readonly only: () => string;
}

function launchedBy(helper: Helper, facts: LaunchFacts): Launched {
  const { folder, terminal, clock, pid, started, only } = facts;
  const { connection } = helper;
  const finish = async (): Promise<LaunchEnd> => {
    const exit = await helper.exited;
    await connection.drained(clock);
    return outcome(exit, started, [...(await complaints(logFile(folder))), ...refusal(exit, only())]);
  };
  const resize = (columns: number, rows: number) => {
    connection.resize?.(columns, rows);
    // runc copies the size to the container's own terminal when it is told that it changed.
    helper.kill('SIGWINCH');
  };
  // The process exists as long as runc, its parent, has not ended: until then its id cannot be another's.
  let alive = pid !== undefined;
  void helper.exited.then(() => (alive = false));
  const signal = (name: string) => {
    if (alive && pid !== undefined) sendSignal(pid, name);
  };
  return { pid, stdin: connection.stdin, signal, ended: finish(), ...(terminal ? { resize } : {}) };
}

function outcome(exit: Exit, started: boolean, errors: readonly string[]): LaunchEnd {
  const complaint = errors.at(-1);
  // The program was found but the kernel refused it (wrong format, missing interpreter): runc's exit code is then 1.
  const refused = errors.find((message) => /exec user process|^exec \S+: /.test(message));
  if (!started || refused) {
    const message = plainWords(refused ?? complaint ?? `runc ended with ${exit.signal ?? exit.code}`);
    return { kind: 'couldNotStart', message };
  }
  return { kind: 'exited', code: exit.code ?? 137 };
}

/** runc tells how it got to the cause; the cause is what users need. */
function plainWords(message: string): string {
  return message.replace(
    /^(?:runc (?:run|exec) failed: |unable to start container process: |exec failed: )+/,
    '',
  );
}

const REFUSAL = /^exec \S+: [a-z ]+\s*$/;

/**
 * A program that was found but that the kernel refuses is told by runc, in the program's place, as the only thing that
 * is ever printed. No shell words it like that.
 */
function refusal(exit: Exit, printed: string): string[] {
  return exit.code !== 0 && REFUSAL.test(printed) ? [printed.trim()] : [];
}

const WITNESSED_BYTES = 4096;

/** Streams that remember the beginning of what passed, of both outputs together. */
function witness(streams: ContainerStreams): { streams: ContainerStreams; only: () => string } {
  let seen = '';
  const note = (chunk: Buffer) => {
    if (seen.length < WITNESSED_BYTES) seen += chunk.toString('utf8', 0, WITNESSED_BYTES);
  };
  return {
    only: () => seen,
    streams: {
      ...streams,
      onStdout(chunk) {
        note(chunk);
        return streams.onStdout(chunk);
      },
      onStderr(chunk) {
        note(chunk);
        return streams.onStderr(chunk);
      },
    },
  };
}

function startedPid(folder: string, file: string, exited: Promise<Exit>): Promise<number | undefined> {
  return new Promise((resolve) => {
    const watcher = watch(folder, look);
    function finish(pid: number | undefined): void {
      watcher.close();
      resolve(pid);
    }
    function look(): void {
      const pid = readPid(file);
      if (pid !== undefined) finish(pid);
    }
    void exited.then(() => finish(readPid(file)));
    look();
  });
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

async function complaints(log: string): Promise<string[]> {
  const text = (await readTextIfPresent(log)) ?? '';
  return text.split('\n').flatMap((line) => {
    try {
      const entry = JSON.parse(line) as { level?: string; msg?: string };
      return entry.msg && (entry.level === 'error' || entry.level === 'fatal') ? [entry.msg] : [];
    } catch {
      return [];
    }
  });
}
