import { Duplex } from 'node:stream';
import type { Clock } from '@updraft/kit';
import { badRequest } from '../../status.ts';
import { Heartbeat } from '../heartbeat.ts';
import {
  FIN,
  FrameReader,
  GOAWAY,
  PING,
  RST_STREAM,
  SYN_REPLY,
  SYN_STREAM,
  controlFrame,
  dataFrame,
  words,
} from './frames.ts';
import type { Frame } from './frames.ts';
import { HeaderReader, HeaderWriter } from './headers.ts';
import type { Headers } from './headers.ts';

const CANCEL = 5;
const REFUSED_STREAM = 3;
const MAX_CHUNK_BYTES = 64 * 1024;
const MAX_STREAMS = 4096;
/**
 * What one stream may hold unread before the whole connection waits: Kubernetes' clients know no windows, so the only
 * way to slow one stream down is to read none.
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const STREAM_ID = 0x7fffffff;

export interface SpdyConnection {
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  /** Says goodbye and closes when everything was sent. */
  close(): void;
}

/**
 * The server's end of SPDY/3.1, as much of it as Kubernetes' clients use: streams that the client opens, data, half
 * closed ends, resets, pings.
 * @param transport taken over: read, written and ended by this connection alone
 */
export function serveSpdy(
  transport: Duplex,
  onStream: (stream: SpdyStream) => void,
  clock: Clock,
): SpdyConnection {
  return new SpdyServer(transport, onStream, clock);
}

/** One stream, opened by the client. Its end and ours are closed each by itself. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #connection: SpdyServer;
  #complete = false;

  constructor(connection: SpdyServer, id: number, headers: Headers) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  /** What came from the client; undefined: it has no more to say. */
  deliver(chunk: Buffer | undefined): void {
    if (this.#complete || this.destroyed) return;
    this.#complete = chunk === undefined;
    this.push(chunk ?? null);
  }

  override _read(): void {
    this.#connection.resume(this);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#connection.send(this.id, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.finish(this.id, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.forget(this);
    done(error);
  }
}

class SpdyServer implements SpdyConnection {
  readonly #transport: Duplex;
  readonly #frames = new FrameReader();
  readonly #reader = new HeaderReader();
  readonly #writer = new HeaderWriter();
  readonly #streams = new Map<number, SpdyStream>();
  /** What the connection waits for before it is read on: streams that are full, answers that the client does not take. */
  readonly #full = new Set<SpdyStream | 'answers'>();
  readonly #heartbeat: Heartbeat;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly closed: Promise<void>;

  constructor(transport: Duplex, onStream: (stream: SpdyStream) => void, clock: Clock) {
    this.#transport = transport;
    this.#onStream = onStream;
    let pings = 0;
    // Ours have even numbers: the client sends them back.
    this.#heartbeat = new Heartbeat(clock, () => this.#put(controlFrame(PING, words((pings += 2)))));
    this.closed = new Promise((resolve) => {
      transport.once('close', () => {
        this.#heartbeat.end();
        this.#abandon();
        resolve();
      });
    });
    transport.on('error', () => transport.destroy());
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A client that has no more to say is done with all its streams.
    transport.once('end', () => transport.destroy());
  }

  send(id: number, chunk: Buffer, done: (error?: Error | null) => void): void {
    for (let at = 0; at < chunk.length; at += MAX_CHUNK_BYTES) {
      const part = chunk.subarray(at, at + MAX_CHUNK_BYTES);
      const last = at + MAX_CHUNK_BYTES >= chunk.length;
      this.#put(dataFrame(id, 0, part), last ? done : undefined);
    }
    if (chunk.length === 0) done();
  }

  finish(id: number, done: (error?: Error | null) => void): void {
    this.#put(dataFrame(id, FIN, Buffer.alloc(0)), done);
  }

  resume(waited: SpdyStream | 'answers'): void {
    if (!this.#full.delete(waited) || this.#full.size > 0) return;
    this.#heartbeat.end();
    this.#transport.resume();
  }

  #pause(reason: SpdyStream | 'answers'): void {
    this.#full.add(reason);
    this.#transport.pause();
    this.#heartbeat.begin();
  }

  forget(stream: SpdyStream): void {
    this.resume(stream);
    if (!this.#streams.delete(stream.id)) return;
    const clean = stream.readableEnded && stream.writableFinished;
    if (!clean) this.#put(controlFrame(RST_STREAM, words(stream.id, CANCEL)));
  }

  close(): void {
    this.#put(controlFrame(GOAWAY, words(0, 0)));
    if (!this.#transport.destroyed) this.#transport.end();
  }

  #put(bytes: Buffer, done?: (error?: Error | null) => void): void {
    if (this.#transport.destroyed || this.#transport.writableEnded) done?.();
    else this.#transport.write(bytes, done);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.read(chunk)) this.#take(frame);
    } catch {
      // After nonsense there is no telling where the next frame begins.
      this.#transport.destroy();
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === 'data') return this.#data(frame);
    const { payload } = frame;
    if (frame.type === SYN_STREAM) this.#open(frame.flags, payload);
    else if (frame.type === RST_STREAM) this.#reset(numberAt(payload, 0) & STREAM_ID);
    else if (frame.type === PING) this.#pong(numberAt(payload, 0));
    if (this.#transport.writableLength <= MAX_WAITING_BYTES || this.#full.has('answers')) return;
    // Each frame may have an answer: a client that takes none is not read from.
    this.#transport.once('drain', () => this.resume('answers'));
    this.#pause('answers');
  }

  /** An even number is an answer of the client's. */
  #pong(number: number): void {
    if (number % 2 === 1) this.#put(controlFrame(PING, words(number)));
  }

  #open(flags: number, payload: Buffer): void {
    const id = numberAt(payload, 0) & STREAM_ID;
    // Even one that is refused: the next block builds on what it says.
    const headers = this.#reader.read(payload.subarray(10));
    if (this.#streams.has(id)) throw badRequest(`SPDY: stream ${id} is open`);
    if (this.#streams.size >= MAX_STREAMS) {
      return this.#put(controlFrame(RST_STREAM, words(id, REFUSED_STREAM)));
    }
    const stream = new SpdyStream(this, id, headers);
    // Whoever uses the stream sees its end; an error here is always that of the connection.
    stream.on('error', () => undefined);
    this.#streams.set(id, stream);
    this.#put(controlFrame(SYN_REPLY, Buffer.concat([words(id), this.#writer.write(new Map())])));
    if ((flags & FIN) !== 0) stream.deliver(undefined);
    this.#onStream(stream);
  }

  #data(frame: Frame & { readonly kind: 'data' }): void {
    const stream = this.#streams.get(frame.stream);
    if (!stream) return;
    if (frame.payload.length > 0) stream.deliver(frame.payload);
    if ((frame.flags & FIN) !== 0) stream.deliver(undefined);
    if (stream.readableLength > MAX_WAITING_BYTES) {
      this.#pause(stream);
    }
  }

  #reset(id: number): void {
    const stream = this.#streams.get(id);
    // It is the other end that gave up: no answer is due.
    this.#streams.delete(id);
    stream?.destroy();
  }

  #abandon(): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.destroy();
  }
}

function numberAt(payload: Buffer, at: number): number {
  if (payload.length < at + 4) throw badRequest('SPDY: the frame is cut off');
  return payload.readUInt32BE(at);
}
