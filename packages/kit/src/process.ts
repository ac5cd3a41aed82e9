import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Fault, codeOf } from './fault.ts';

export interface StartOptions {
  readonly cwd?: string;
  /** Added to PATH, HOME and a UTF-8 locale; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
  /** In a process group of its own, so that `kill` reaches its children. Default true. */
  readonly group?: boolean;
}

export interface Exit {
  /** 0 to 255; undefined when a signal ended the process. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A started program. `exited` always resolves: a failing exit is a value, never thrown. */
export interface RunningProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

export interface RunOptions extends Omit<StartOptions, 'stdio'> {
  /** Written to standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** More output than this is a fault, so that a wild program cannot fill the memory. Default 64 MiB. */
  readonly maxOutputBytes?: number;
}

export interface RunResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_OUTPUT_LIMIT = 64 * 1024 * 1024;

function baseEnvironment(): Record<string, string> {
  const { PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/root' } =
    process.env;
  return { PATH, HOME, LC_ALL: 'C.UTF-8' };
}

/**
 * Starts a program with an argument array; no shell ever sees it.
 * @throws Fault PROGRAM_MISSING when there is no such program, PROGRAM_NOT_STARTED for any other reason.
 */
export async function start(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<RunningProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...baseEnvironment(), ...options.env },
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
    detached: options.group ?? true,
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(startFault(command, error)));
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    child,
    exited,
    kill: (signal) => signalProcess(options.group === false ? pid : -pid, signal),
  };
}

function startFault(command: string, error: Error): Fault {
  if (codeOf(error) !== 'ENOENT') {
    return new Fault('PROGRAM_NOT_STARTED', `cannot start ${command}: ${error.message}`, { cause: error });
  }
  return new Fault('PROGRAM_MISSING', `the program ${command} is not installed`, {
    cause: error,
    next: `Install the package that provides ${command}.`,
  });
}

/** Sends a signal; a process that is already gone is no error. A negative id means its whole group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Runs a program to its end and collects its output. A non-zero exit is part of the result. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const running = await start(command, args, {
    ...options,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const kill = () => running.kill('SIGKILL');
  options.signal?.addEventListener('abort', kill, { once: true });
  if (options.signal?.aborted) kill();
  const limit = options.maxOutputBytes ?? DEFAULT_OUTPUT_LIMIT;
  const output = [collect(running.stdout, limit, kill), collect(running.stderr, limit, kill)] as const;
  running.stdin?.on('error', ignoreBrokenPipe);
  running.stdin?.end(options.input);
  const exit = await running.exited;
  options.signal?.removeEventListener('abort', kill);
  options.signal?.throwIfAborted();
  return { ...exit, stdout: output[0](), stderr: output[1]() };
}

/**
 * Like `run`, for programs that have to succeed.
 * @throws Fault PROGRAM_FAILED with the last lines of standard error.
 */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await run(command, args, options);
  if (result.code === 0) return result.stdout;
  const why = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n');
  const how = result.code === undefined ? `was ended by ${result.signal}` : `exited with ${result.code}`;
  throw new Fault('PROGRAM_FAILED', `${command} ${args.slice(0, 3).join(' ')} ${how}: ${why}`);
}

/** A program may end before it has read all its input; its exit code says what happened. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
}

function collect(stream: Readable | null, limit: number, stop: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  let exceeded = false;
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else if (!exceeded) {
      exceeded = true;
      stop();
    }
  });
  return () => {
    if (exceeded) throw new Fault('OUTPUT_TOO_LARGE', `a program printed more than ${limit} bytes`);
    return Buffer.concat(chunks).toString('utf8');
  };
}
