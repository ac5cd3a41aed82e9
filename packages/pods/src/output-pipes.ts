import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { pipe } from './system-calls.ts';
import type { ContainerStreams } from './types.ts';

/** After the process is gone, what it wrote is there to read at once; only a child it left behind keeps a pipe open. */
const DRAIN_MS = 200;

/** What connects a started process with the streams of who started it. */
export interface Connection {
  /** For `stdio` of the process; `closeChildEnds` once it runs. */
  readonly stdio: readonly [number | 'ignore', number, number];
  readonly stdin: Writable | undefined;
  closeChildEnds(): void;
  /** Delivers from now on what was kept back because the runtime itself may have been talking, or drops it. */
  release(options?: { drop?: boolean }): void;
  /** After the process has ended: resolves when all it wrote was delivered. */
  drained(clock: Clock): Promise<void>;
  close(): void;
  resize?(columns: number, rows: number): void;
}

/** Real pipes between a process and its streams. Standard error is kept back until `release`. */
export class OutputPipes implements Connection {
  readonly stdio: readonly [number | 'ignore', number, number];
  readonly stdin: Writable | undefined;
  readonly #childEnds: number[];
  readonly #outputs: readonly Output[];

  constructor(streams: ContainerStreams) {
    const [stdoutRead, stdoutWrite] = pipe();
    const [stderrRead, stderrWrite] = pipe();
    this.#childEnds = [stdoutWrite, stderrWrite];
    const stdin = streams.stdin && connectStdin(streams.stdin);
    if (stdin) this.#childEnds.push(stdin.childEnd);
    this.stdin = stdin?.socket;
    this.stdio = [stdin?.childEnd ?? 'ignore', stdoutWrite, stderrWrite];
    const held = new Output(readingSocket(stderrRead), streams.onStderr);
    held.hold();
    this.#outputs = [new Output(readingSocket(stdoutRead), streams.onStdout), held];
  }

  closeChildEnds(): void {
    for (const end of this.#childEnds.splice(0)) closeSync(end);
  }

  release(options: { drop?: boolean } = {}): void {
    this.#outputs[1]?.release(options.drop ?? false);
  }

  async drained(clock: Clock): Promise<void> {
    this.stdin?.destroy();
    const ended = Promise.all(this.#outputs.map((output) => output.ended));
    const stop = clock.timer(DRAIN_MS, () => this.close());
    await ended;
    stop();
  }

  close(): void {
    this.closeChildEnds();
    this.stdin?.destroy();
    for (const output of this.#outputs) output.close();
  }
}

const readingSocket = (fd: number) => new Socket({ fd, readable: true, writable: false });

/** One stream of output, which can be kept back for a while. */
export class Output {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #deliver: (chunk: Buffer) => void;
  #held: Buffer[] | undefined;

  constructor(socket: Socket, deliver: (chunk: Buffer) => void) {
    this.#deliver = deliver;
    this.#socket = socket;
    this.#socket.on('data', (chunk: Buffer) => {
      if (this.#held) this.#held.push(chunk);
      else deliver(chunk);
    });
    this.#socket.on('error', () => this.#socket.destroy());
    this.ended = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  hold(): void {
    this.#held = [];
  }

  release(drop: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (!drop) for (const chunk of held) this.#deliver(chunk);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function connectStdin(source: Readable): { socket: Socket; childEnd: number } {
  const [read, write] = pipe();
  const socket = new Socket({ fd: write, readable: false, writable: true });
  // A process may end, or close its input, before it has read everything.
  socket.on('error', (error) => {
    source.unpipe(socket);
    if (codeOf(error) !== 'EPIPE') socket.destroy();
  });
  source.pipe(socket);
  return { socket, childEnd: read };
}
