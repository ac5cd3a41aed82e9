import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { pipe } from './system-calls.ts';
import type { ContainerStreams } from './types.ts';

/** Between two looks whether more output came. */
const QUIET_MS = 100;

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
    await drain(this.#outputs, clock);
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
  /** Bytes that have arrived. */
  received = 0;
  /** Whoever gets it has not taken the last of it yet. */
  isHeldUp = false;
  readonly #deliver: (chunk: Buffer) => void | Promise<void>;
  #held: Buffer[] | undefined;

  constructor(socket: Socket, deliver: (chunk: Buffer) => void | Promise<void>) {
    this.#deliver = deliver;
    this.#socket = socket;
    this.#socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      if (this.#held) this.#held.push(chunk);
      else this.#hand(chunk);
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
    if (!drop) for (const chunk of held) this.#hand(chunk);
  }

  close(): void {
    this.#socket.destroy();
  }

  #hand(chunk: Buffer): void {
    const taken = this.#deliver(chunk);
    if (!taken) return;
    this.isHeldUp = true;
    this.#socket.pause();
    const goOn = () => {
      this.isHeldUp = false;
      this.#socket.resume();
    };
    void taken.then(goOn, goOn);
  }
}

/**
 * After a process has ended: waits until its outputs have, and closes those that a child it left behind keeps open.
 * What the process itself wrote is there to be read, so an output is done when two looks in a row found nothing new:
 * between them the event loop has read what there was, however busy it is.
 */
export async function drain(outputs: readonly Output[], clock: Clock): Promise<void> {
  const patience = new AbortController();
  let open = true;
  const finish = async () => {
    await Promise.all(outputs.map((output) => output.ended));
    open = false;
    patience.abort();
  };
  const ended = finish();
  let before = -1;
  for (let quiet = 0; open && quiet < 2;) {
    await clock.sleep(QUIET_MS, patience.signal).catch(() => undefined);
    const now = outputs.reduce((sum, output) => sum + output.received, 0);
    quiet = now === before && !outputs.some(({ isHeldUp }) => isHeldUp) ? quiet + 1 : 0;
    before = now;
  }
  for (const output of outputs) output.close();
  await ended;
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
