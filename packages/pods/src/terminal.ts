import { closeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Writable } from 'node:stream';
import type { Clock } from '@updraft/kit';
import { Output, drain } from './output-pipes.ts';
import type { Connection } from './output-pipes.ts';
import { pseudoTerminal, setTerminalSize } from './system-calls.ts';
import type { ContainerStreams } from './types.ts';

/** A terminal between a process and its streams: all output is one stream, input may be signals. */
export class Terminal implements Connection {
  readonly stdio: readonly [number, number, number];
  readonly stdin: Writable;
  readonly #master: number;
  readonly #socket: ReadStream;
  readonly #output: Output;
  #slave: number | undefined;

  constructor(streams: ContainerStreams) {
    const { master, slave } = pseudoTerminal();
    this.#master = master;
    this.#slave = slave;
    this.stdio = [slave, slave, slave];
    setTerminalSize(master, 80, 24);
    // Node's class for reading terminals is a socket: what is written to it is typed.
    this.#socket = new ReadStream(master);
    this.stdin = this.#socket;
    this.#output = new Output(this.#socket, streams.onStdout);
    this.#output.hold();
    streams.stdin?.pipe(this.#socket, { end: false });
  }

  closeChildEnds(): void {
    if (this.#slave !== undefined) closeSync(this.#slave);
    this.#slave = undefined;
  }

  release(options: { drop?: boolean } = {}): void {
    this.#output.release(options.drop ?? false);
  }

  /** The kernel reports a failure when the last program has closed its end; `Output` takes that as the end. */
  drained(clock: Clock): Promise<void> {
    return drain([this.#output], clock);
  }

  close(): void {
    this.closeChildEnds();
    this.#output.close();
  }

  resize(columns: number, rows: number): void {
    if (!this.#socket.destroyed) setTerminalSize(this.#master, columns, rows);
  }
}
