import { Duplex } from 'node:stream';
import type { Clock } from '@updraft/kit';
import type { WebSocket } from 'ws';
import { Heartbeat } from './heartbeat.ts';

/** v5: the next byte names a channel whose sender is done. */
const CLOSE = 255;
const NORMAL = 1000;
/** The connection was lost: nobody said that it is over. */
const LOST = 1006;

/** One channel of a WebSocket whose frames begin with the channel's number. */
export class Channel extends Duplex {
  readonly number: number;
  readonly #channels: Channels;
  #complete = false;

  constructor(channels: Channels, number: number) {
    super({ allowHalfOpen: true });
    this.#channels = channels;
    this.number = number;
    this.on('error', () => undefined);
  }

  /** What came from the client; undefined: it has no more to say. False: enough for now. */
  deliver(chunk: Buffer | undefined): boolean {
    if (this.#complete || this.destroyed) return true;
    this.#complete = chunk === undefined;
    return this.push(chunk ?? null) || chunk === undefined;
  }

  override _read(): void {
    this.#channels.resume(this);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#channels.send(this.number, chunk, done);
  }
}

/** How a frame is written: the channel's number and the bytes as they are, or a digit and base64 as text. */
interface Wire {
  readonly write: (number: number, chunk: Buffer) => Buffer | string;
  readonly read: (data: Buffer) => Buffer;
}

const BINARY: Wire = {
  write: (number, chunk) => Buffer.concat([Buffer.from([number]), chunk]),
  read: (data) => data,
};

const BASE64: Wire = {
  write: (number, chunk) => `${number}${chunk.toString('base64')}`,
  read: (data) => {
    const number = (data[0] ?? 0) - DIGIT_ZERO;
    const bytes = Buffer.from(data.subarray(1).toString('latin1'), 'base64');
    return number < 0 || number > MAX_DIGIT ? Buffer.alloc(0) : Buffer.concat([Buffer.from([number]), bytes]);
  },
};
const DIGIT_ZERO = 0x30;
const MAX_DIGIT = 9;

/**
 * The channel protocols of Kubernetes (up to v5.channel.k8s.io, and those with `base64`): several streams in one
 * WebSocket. Only v5 can say that one stream has ended; with the others all end together.
 */
export class Channels {
  readonly #socket: WebSocket;
  readonly #wire: Wire;
  readonly #channels = new Map<number, Channel>();
  readonly #full = new Set<Channel>();
  readonly #heartbeat: Heartbeat;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;

  #isOver = false;

  /**
   * @param numbers channels that exist; what is sent on any other is dropped
   * @param lasting those of which everything is read that came before the client said that it is over
   */
  constructor(socket: WebSocket, numbers: readonly number[], clock: Clock, lasting: readonly number[] = []) {
    this.#socket = socket;
    this.#heartbeat = new Heartbeat(clock, () => socket.ping());
    this.#wire = socket.protocol.includes('base64') ? BASE64 : BINARY;
    for (const number of numbers) this.#channels.set(number, new Channel(this, number));
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', () => socket.terminate());
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.#heartbeat.end();
        this.#isOver = code !== LOST;
        for (const channel of this.#channels.values()) {
          if (this.#isOver && lasting.includes(channel.number)) channel.deliver(undefined);
          else channel.destroy();
        }
        resolve();
      });
    });
  }

  /** Whether the connection has ended because the client said so. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param number one of those given to the constructor */
  open(number: number): Channel {
    const channel = this.#channels.get(number);
    if (!channel) throw new RangeError(`there is no channel ${number}`);
    return channel;
  }

  send(number: number, chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return done();
    this.#socket.send(this.#wire.write(number, chunk), () => done());
  }

  resume(channel: Channel): void {
    if (!this.#full.delete(channel) || this.#full.size > 0) return;
    this.#heartbeat.end();
    this.#socket.resume();
  }

  /** After everything was sent. */
  close(): void {
    this.#socket.close(NORMAL);
  }

  #receive(frame: Buffer): void {
    const data = this.#wire.read(frame);
    const rest = data.subarray(1);
    if (data[0] === CLOSE) {
      this.#channels.get(rest[0] ?? CLOSE)?.deliver(undefined);
      return;
    }
    const channel = this.#channels.get(data[0] ?? CLOSE);
    if (!channel || rest.length === 0 || channel.deliver(rest)) return;
    this.#full.add(channel);
    this.#socket.pause();
    this.#heartbeat.begin();
  }
}
