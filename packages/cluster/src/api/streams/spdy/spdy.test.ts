import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { constants, createDeflate } from 'node:zlib';
import { systemClock } from '@updraft/kit';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../testing/fake-clock.ts';
import { serveSpdy } from './connection.ts';
import type { SpdyConnection, SpdyStream } from './connection.ts';
import { DICTIONARY } from './dictionary.table.ts';
import { FIN, FrameReader, PING, RST_STREAM, SYN_STREAM, controlFrame, dataFrame, words } from './frames.ts';
import type { Frame } from './frames.ts';
import { HeaderReader, HeaderWriter } from './headers.ts';

function adler32(bytes: Buffer): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 65536 + low;
}

/** As a client compresses: one stream with SPDY's dictionary, flushed after each block. */
function clientBlocks(...blocks: Record<string, string>[]): Promise<Buffer[]> {
  const deflate = createDeflate({ dictionary: DICTIONARY });
  const compress = (block: Record<string, string>) =>
    new Promise<Buffer>((resolve) => {
      const pairs = Object.entries(block);
      const text = (word: string) => Buffer.concat([words(word.length), Buffer.from(word)]);
      deflate.write(Buffer.concat([words(pairs.length), ...pairs.flat().map(text)]));
      deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(deflate.read() as Buffer));
    });
  return blocks.reduce<Promise<Buffer[]>>(
    async (before, block) => [...(await before), await compress(block)],
    Promise.resolve([]),
  );
}

describe('header blocks', () => {
  it('have the dictionary that zlib knows by this number', () => {
    expect([DICTIONARY.length, adler32(DICTIONARY)]).toEqual([1423, 0xe3c6a7c2]);
  });

  it('are read one after the other, each building on those before', async () => {
    const reader = new HeaderReader();
    const first = { streamtype: 'error', port: '8080', requestid: '0' };
    const blocks = await clientBlocks(first, { ...first, streamtype: 'data' });
    expect(blocks[1]?.length).toBeLessThan(40);
    const read = blocks.map((block) => Object.fromEntries(reader.read(block)));
    expect(read).toEqual([first, { ...first, streamtype: 'data' }]);
  });

  it('are written as they are read', () => {
    const [reader, writer] = [new HeaderReader(), new HeaderWriter()];
    for (const value of ['1', '2'])
      expect(reader.read(writer.write(new Map([['a', value]]))).get('a')).toBe(value);
  });

  it('are refused when they are nonsense or swell', async () => {
    expect(() => new HeaderReader().read(Buffer.from('nonsense'))).toThrow(/cut off|cannot be read/);
    const [bomb = Buffer.alloc(0)] = await clientBlocks({ a: 'x'.repeat(200_000) });
    expect(() => new HeaderReader().read(bomb)).toThrow('cannot be read');
    const short = new HeaderWriter().write(new Map([['key', 'value']]));
    expect(() => new HeaderReader().read(short.subarray(0, short.length - 12))).toThrow(
      /cut off|cannot be read/,
    );
  });
});

it('frames are found however the bytes are cut', () => {
  const bytes = Buffer.concat([dataFrame(3, FIN, Buffer.from('abc')), controlFrame(PING, words(7))]);
  for (const size of [1, 5, 9, 100]) {
    const reader = new FrameReader();
    const found: Frame[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...reader.read(bytes.subarray(at, at + size)));
    expect(found).toMatchObject([
      { kind: 'data', stream: 3, flags: FIN, payload: Buffer.from('abc') },
      { kind: 'control', type: PING, payload: words(7) },
    ]);
  }
  expect(() => [...new FrameReader().read(Buffer.from('GET / HTTP/1.1\r\n'))]).toThrow(/too large/);
});

/** The transport between a connection and a test: what was sent, and a way to be the client. */
class Wire extends Duplex {
  readonly sent: Frame[] = [];
  readonly #reader = new FrameReader();

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent.push(...this.#reader.read(chunk));
    done();
  }
}

async function opened(): Promise<{ wire: Wire; stream: SpdyStream; connection: SpdyConnection }> {
  const wire = new Wire();
  const streams: SpdyStream[] = [];
  const connection = serveSpdy(wire, (stream) => streams.push(stream), systemClock);
  const [block = Buffer.alloc(0)] = await clientBlocks({ streamtype: 'data' });
  wire.push(controlFrame(SYN_STREAM, Buffer.concat([words(1, 0), Buffer.from([0, 0]), block])));
  await turn();
  const [stream] = streams;
  if (!stream) throw new Error('no stream was opened');
  return { wire, stream, connection };
}

describe('a connection', () => {
  it('carries both directions and ends each by itself', async () => {
    const { wire, stream } = await opened();
    expect(stream.headers.get('streamtype')).toBe('data');
    wire.push(Buffer.concat([dataFrame(1, 0, Buffer.from('to ')), dataFrame(1, FIN, Buffer.from('server'))]));
    let heard = '';
    stream.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await once(stream, 'end');
    expect(heard).toBe('to server');
    stream.end('to client');
    await once(stream, 'close');
    const data = wire.sent.filter((frame) => frame.kind === 'data');
    expect(data.map(({ payload, flags }) => [payload.toString(), flags])).toEqual([
      ['to client', 0],
      ['', FIN],
    ]);
    expect(wire.sent.some((frame) => frame.kind === 'control' && frame.type === RST_STREAM)).toBe(false);
  });

  it('stops reading while a stream is full, and goes on when it is read', async () => {
    const { wire, stream } = await opened();
    const chunk = Buffer.alloc(512 * 1024);
    for (let n = 0; n < 10; n += 1) wire.push(dataFrame(1, 0, chunk));
    await turn();
    expect(wire.isPaused()).toBe(true);
    let bytes = 0;
    stream.on('data', (part: Buffer) => (bytes += part.length));
    await turn();
    await turn();
    expect([wire.isPaused(), bytes]).toEqual([false, 10 * chunk.length]);
  });

  it('answers pings, resets what is given up, and takes its streams along when it goes', async () => {
    const { wire, stream, connection } = await opened();
    wire.push(controlFrame(PING, words(5)));
    await turn();
    expect(wire.sent.at(-1)).toMatchObject({ type: PING, payload: words(5) });
    stream.destroy();
    await turn();
    expect(wire.sent.at(-1)).toMatchObject({ type: RST_STREAM, payload: words(1, 5) });
    const other = await opened();
    other.wire.push(Buffer.from('nonsense, not SPDY'));
    await other.connection.closed;
    expect(other.stream.destroyed).toBe(true);
    connection.close();
    expect(wire.writableEnded).toBe(true);
    wire.push(null);
    await connection.closed;
  });
});

describe('a client that does not play along', () => {
  it('is asked now and then whether it is there, while nothing is read from it', async () => {
    const clock = new FakeClock();
    const wire = new Wire();
    const streams: SpdyStream[] = [];
    serveSpdy(wire, (stream) => streams.push(stream), clock);
    const [block = Buffer.alloc(0)] = await clientBlocks({ streamtype: 'data' });
    wire.push(controlFrame(SYN_STREAM, Buffer.concat([words(1, 0), Buffer.from([0, 0]), block])));
    const pings = () => wire.sent.filter((frame) => frame.kind === 'control' && frame.type === PING).length;
    await clock.advance(60_000);
    expect(pings()).toBe(0);
    const piece = dataFrame(1, 0, Buffer.alloc(1024 * 1024 - 8));
    for (let sent = 0; sent < 6; sent += 1) wire.push(piece);
    await turn();
    await clock.advance(11_000);
    expect(pings()).toBe(2);
    streams[0]?.resume();
    await turn();
    await clock.advance(60_000);
    expect(pings()).toBe(2);
    wire.destroy();
    await turn();
    expect(clock.pending).toBe(0);
  });

  it('is not read from while it takes no answers, and then again', async () => {
    let take: () => void = () => undefined;
    const wire = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done: () => void) => (take = done),
      writev: (_chunks, done: () => void) => (take = done),
    });
    serveSpdy(wire, () => undefined, new FakeClock());
    const pings = Buffer.concat(Array.from({ length: 5000 }, () => controlFrame(PING, words(1))));
    for (let sent = 0; sent < 200; sent += 1) {
      wire.push(pings);
      await turn();
    }
    expect(wire.isPaused()).toBe(true);
    expect(wire.writableLength).toBeLessThan(6 * 1024 * 1024);
    for (let turns = 0; turns < 50; turns += 1) {
      take();
      await turn();
    }
    expect(wire.isPaused()).toBe(false);
    wire.destroy();
  });
});
