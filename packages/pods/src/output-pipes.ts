import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { pipe } from './system-calls.ts';
import type { ContainerStreams } from './types.ts';

/** After the process is gone, what it wrote is there to read at once; only a child it left behind keeps a pipe open. */
const DRAIN_MS = 200;

/** Real pipes between a process and its streams. */
export class OutputPipes {
  /** For `stdio` of the process; `closeChildEnds` once it runs. */
  readonly stdio: readonly [number | 'ignore', number, number];
  readonly stdin: Writable | undefined;
  readonly #childEnds: number[];
  readonly #outputs: readonly Output[];

  /** `holdStderr`: standard error is kept back until `release`, for the runtime itself may be talking there. */
  constructor(streams: ContainerStreams) {
    const [stdoutRead, stdoutWrite] = pipe();
    const [stderrRead, stderrWrite] = pipe();
    this.#childEnds = [stdoutWrite, stderrWrite];
    const stdin = streams.stdin && connectStdin(streams.stdin);
    if (stdin) this.#childEnds.push(stdin.childEnd);
    this.stdin = stdin?.socket;
    this.stdio = [stdin?.childEnd ?? 'ignore', stdoutWrite, stderrWrite];
    const held = new Output(stderrRead, streams.onStderr);
    held.hold();
    this.#outputs = [new Output(stdoutRead, streams.onStdout), held];
  }

  closeChildEnds(): void {
    for (const end of this.#childEnds.splice(0)) closeSync(end);
  }

  /** Delivers standard error from now on; what was kept back is delivered first, or dropped. */
  release(options: { drop?: boolean } = {}): void {
    this.#outputs[1]?.release(options.drop ?? false);
  }

  /** After the process has ended: resolves when all it wrote was delivered. */
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

class Output {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #deliver: (chunk: Buffer) => void;
  #held: Buffer[] | undefined;

  constructor(descriptor: number, deliver: (chunk: Buffer) => void) {
    this.#deliver = deliver;
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: false });
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
