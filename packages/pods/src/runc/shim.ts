import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { readTextIfPresent, signalProcess, start } from '@updraft/kit';
import type { Clock, Exit } from '@updraft/kit';
import { Output, drain } from '../output-pipes.ts';
import type { Connection } from '../output-pipes.ts';
import { makeNode, setPipeSize } from '../system-calls.ts';
import type { ContainerStreams } from '../types.ts';

/** What stands between us and a process in a container, and how it tells that the process has ended. */
export interface Helper {
  readonly connection: Connection;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * What stays beside a container when its daemon dies: it waits for runc, keeps the exit code in a file, and keeps the
 * output pipes open so that nothing in them is lost. By closing descriptor 3 it tells whoever listens that it is over;
 * then it waits to be killed by someone who has read everything. runc itself gets no descriptor 3.
 */
const SHIM = `echo $$ >shim
"$@" 3>&-
echo $? >exit
exec 3>&-
read -r _ <end`;

const PIPE_BYTES = 1024 * 1024;
const FIFO = 0o010600;

const fifo = (folder: string, name: 'stdout' | 'stderr' | 'end') => path.join(folder, name);

/** Runs `command` beside a shim in `folder`, whose pipes and files are found there by `rejoinShim`. */
export async function startShim(
  folder: string,
  command: readonly string[],
  streams: ContainerStreams,
): Promise<Helper> {
  for (const name of ['stdout', 'stderr', 'end'] as const) makeNode(fifo(folder, name), FIFO, 0n);
  // Read and write: writing to such a pipe never fails, whether anybody listens or not.
  const ends = (['stdout', 'stderr', 'end'] as const).map((name) =>
    openSync(fifo(folder, name), constants.O_RDWR),
  );
  for (const output of ends.slice(0, 2)) setPipeSize(output, PIPE_BYTES);
  const pipes = new NamedPipes(folder, streams, ends);
  try {
    const args = ['-c', SHIM, 'updraft-shim', ...command];
    const shim = await start('sh', args, { cwd: folder, stdio: ['ignore', ...ends] });
    pipes.closeChildEnds();
    return helperOf(folder, pipes, () => shim.kill('SIGKILL'));
  } catch (error) {
    pipes.close();
    throw error;
  }
}

/** Connects to the shim that a dead process has left in `folder`, alive or not. */
export async function rejoinShim(folder: string, id: string, streams: ContainerStreams): Promise<Helper> {
  const pipes = new NamedPipes(folder, streams, []);
  pipes.release();
  const pid = await shimPid(folder, id);
  const kill = () => {
    if (pid !== undefined) signalProcess(-pid, 'SIGKILL');
  };
  // Asked after the pipes were opened: an end from now on is heard, an earlier one is seen here.
  if (pid === undefined || exitOf(folder) !== undefined) pipes.end.destroy();
  return helperOf(folder, pipes, kill);
}

function helperOf(folder: string, pipes: NamedPipes, kill: () => void): Helper {
  const finish = async (): Promise<Exit> => {
    await pipes.ended;
    // Without a writer left the outputs end, too.
    kill();
    return exitOf(folder) ?? { code: undefined, signal: 'SIGKILL' };
  };
  return { connection: pipes, exited: finish(), kill };
}

/** The exit code that the shim has kept; undefined while the process runs, and when nobody will ever know. */
function exitOf(folder: string): Exit | undefined {
  try {
    const text = readFileSync(path.join(folder, 'exit'), 'utf8');
    return text.endsWith('\n') ? { code: Number(text), signal: undefined } : undefined;
  } catch {
    return undefined;
  }
}

/** The living shim of a container; the number in its file may be another process's by now. */
export async function shimPid(folder: string, id: string): Promise<number | undefined> {
  const pid = Number((await readTextIfPresent(path.join(folder, 'shim'))) ?? 0);
  if (!pid) return undefined;
  const line = (await readTextIfPresent(`/proc/${pid}/cmdline`).catch(() => undefined)) ?? '';
  return line.split('\0').includes(id) ? pid : undefined;
}

class NamedPipes implements Connection {
  readonly stdio: readonly ['ignore', number, number] = ['ignore', -1, -1];
  readonly stdin = undefined;
  readonly end: Socket;
  /** Resolves when the shim has closed its end, or was killed. */
  readonly ended: Promise<void>;
  readonly #childEnds: number[];
  readonly #outputs: readonly Output[];

  constructor(folder: string, streams: ContainerStreams, childEnds: readonly number[]) {
    this.#childEnds = [...childEnds];
    const [stdout, stderr, end] = (['stdout', 'stderr', 'end'] as const).map((name) =>
      reader(fifo(folder, name)),
    ) as [Socket, Socket, Socket];
    const held = new Output(stderr, streams.onStderr);
    held.hold();
    this.#outputs = [new Output(stdout, streams.onStdout), held];
    this.end = end;
    end.on('error', () => end.destroy());
    end.resume();
    this.ended = new Promise((resolve) => end.once('close', () => resolve()));
  }

  closeChildEnds(): void {
    for (const end of this.#childEnds.splice(0)) closeSync(end);
  }

  release(options: { drop?: boolean } = {}): void {
    this.#outputs[1]?.release(options.drop ?? false);
  }

  drained(clock: Clock): Promise<void> {
    return drain(this.#outputs, clock);
  }

  close(): void {
    this.closeChildEnds();
    this.end.destroy();
    for (const output of this.#outputs) output.close();
  }
}

/** Opened without waiting for a writer; the end comes when there was one and the last has gone. */
function reader(file: string): Socket {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** Ends a shim and its runc, by an id that nobody else has in its arguments. */
export async function endShim(folder: string, id: string): Promise<void> {
  const pid = await shimPid(folder, id);
  if (pid !== undefined) signalProcess(-pid, 'SIGKILL');
  await rm(path.join(folder, 'shim'), { force: true });
}
