import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** v5: the next byte names a channel whose sender is done. */
const CLOSE = 255;
const NORMAL = 1000;

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

/**
 * The channel protocols of Kubernetes (v4 and v5.channel.k8s.io): several streams in one WebSocket. Only v5 can say that
 * one stream has ended; with v4 all end together.
 */
export class Channels {
  readonly #socket: WebSocket;
  readonly #channels = new Map<number, Channel>();
  readonly #full = new Set<Channel>();
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;

  /** @param numbers channels that exist; what is sent on any other is dropped */
  constructor(socket: WebSocket, numbers: readonly number[]) {
    this.#socket = socket;
    for (const number of numbers) this.#channels.set(number, new Channel(this, number));
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', () => socket.terminate());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const channel of this.#channels.values()) channel.destroy();
        resolve();
      });
    });
  }

  /** @param number one of those given to the constructor */
  open(number: number): Channel {
    const channel = this.#channels.get(number);
    if (!channel) throw new RangeError(`there is no channel ${number}`);
    return channel;
  }

  send(number: number, chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return done();
    this.#socket.send(Buffer.concat([Buffer.from([number]), chunk]), () => done());
  }

  resume(channel: Channel): void {
    if (this.#full.delete(channel) && this.#full.size === 0) this.#socket.resume();
  }

  /** After everything was sent. */
  close(): void {
    this.#socket.close(NORMAL);
  }

  #receive(data: Buffer): void {
    const rest = data.subarray(1);
    if (data[0] === CLOSE) {
      this.#channels.get(rest[0] ?? CLOSE)?.deliver(undefined);
      return;
    }
    const channel = this.#channels.get(data[0] ?? CLOSE);
    if (!channel || rest.length === 0 || channel.deliver(rest)) return;
    this.#full.add(channel);
    this.#socket.pause();
  }
}
