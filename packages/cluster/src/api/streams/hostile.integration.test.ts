import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startLiveCluster } from '../../testing/live-cluster.ts';
import type { LiveCluster } from '../../testing/live-cluster.ts';
import { SYN_STREAM, controlFrame, dataFrame, words } from './spdy/frames.ts';
import { HeaderWriter } from './spdy/headers.ts';

// Clients that break the rules of exec, attach and port-forward, or just go: nothing of them may stay.
vi.setConfig({ testTimeout: 120_000 });
const POD = '/api/v1/namespaces/shop/pods/target';
const MARK = `4711${process.pid}`;

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'tools:1': { Cmd: ['sleep', '1000'] } });
  await live.makeNamespace('shop');
  const containers = [{ name: 'main', image: 'tools:1' }];
  const spec = { terminationGracePeriodSeconds: 0, containers };
  await live.api('POST', '/api/v1/namespaces/shop/pods', { metadata: { name: 'target' }, spec });
  await live.until('it runs', async () => (await live.api('GET', POD)).body.status?.phase === 'Running');
});
afterAll(() => live.close());

const CARRIERS = {
  'v5.channel.k8s.io': { upgrade: 'websocket' },
  'v4.channel.k8s.io': { upgrade: 'websocket' },
  'base64.channel.k8s.io': { upgrade: 'websocket' },
  'SPDY/3.1+portforward.k8s.io': { upgrade: 'websocket' },
  'SPDY/3.1': { upgrade: 'SPDY/3.1' },
} as const;
type Carrier = keyof typeof CARRIERS;

async function open(path: string, carrier: Carrier): Promise<TLSSocket> {
  const { apiPort: port, credentials } = live.cluster;
  const pem = (data: string) => Buffer.from(data, 'base64').toString();
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: pem(credentials.certificateAuthorityData),
    cert: pem(credentials.clientCertificateData),
    key: pem(credentials.clientKeyData),
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const version = path.includes('portforward') ? 'portforward.k8s.io' : 'v4.channel.k8s.io';
  const lines = [
    `GET ${POD}/${path} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    `Upgrade: ${CARRIERS[carrier].upgrade}`,
    `X-Stream-Protocol-Version: ${version}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${carrier}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

/** A frame of a WebSocket as clients send them. */
function webFrame(opcode: number, body: Buffer, final = true): Buffer {
  const head = Buffer.alloc(14);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([head, body]);
}

const processes = (mark: string): number =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes(mark) && words[0] !== 'runc';
    } catch {
      return false;
    }
  }).length;
const descriptors = () => readdirSync('/proc/self/fd').length;
const exec = (...command: string[]) => `exec?${command.map((word) => `command=${word}`).join('&')}`;
const gone = (mark: string) => live.until(`${mark} is gone`, () => processes(mark) === 0, 40_000);

async function settled(before: number): Promise<void> {
  await live.until('nothing stays open', () => descriptors() <= before, 30_000);
  expect((await live.api('GET', '/healthz')).code).toBe(200);
}

const RUBBISH: Readonly<Record<string, Buffer>> = {
  noise: randomBytes(5000),
  'a few bytes': randomBytes(3),
  'all ones': Buffer.alloc(70_000, 255),
  'a text that is none': webFrame(1, Buffer.from([0xff, 0xfe])),
  'an opcode that does not exist': webFrame(11, Buffer.from('x')),
  'a continuation of nothing': webFrame(0, Buffer.from('x')),
  'a ping that is too long': webFrame(9, Buffer.alloc(500)),
  'a close that is too short': webFrame(8, Buffer.from([3])),
  'a length beyond all bounds': Buffer.from('82ffffffffffffffffff00000000', 'hex'),
  'channels that do not exist': Buffer.concat(
    [9, 77, 254, 255].map((channel) => webFrame(2, Buffer.from([channel, 255, 0]))),
  ),
  'no channel': webFrame(2, Buffer.alloc(0)),
  'a stream that is cut off': controlFrame(SYN_STREAM, Buffer.alloc(4)),
  'headers that are noise': controlFrame(SYN_STREAM, Buffer.concat([words(1, 0), randomBytes(200)])),
  'data for nobody': dataFrame(99, 1, Buffer.alloc(1000)),
  'a frame of sixteen megabytes': Buffer.from('8003000100ffffff', 'hex'),
};

test.each(Object.keys(CARRIERS) as Carrier[])(
  'rubbish over %s ends connections, and nothing else',
  async (carrier) => {
    const before = descriptors();
    const paths = [`${exec('sleep', MARK)}&stdin=1&stdout=1`, 'attach?stdout=1', 'portforward?ports=80'];
    for (const path of paths) {
      await Promise.all(
        Object.values(RUBBISH).map(async (bytes) => {
          const socket = await open(path, carrier);
          socket.resume().write(bytes);
          await new Promise((resolve) => setTimeout(resolve, 200));
          socket.destroy();
        }),
      );
    }
    await gone(MARK);
    await settled(before);
  },
);

test('execs that are left at once, and many side by side, leave nothing', async () => {
  const before = descriptors();
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await open(`${exec('sleep', MARK)}&stdin=1&stdout=1`, 'v5.channel.k8s.io');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
        socket.destroy();
      }),
    );
  }
  await gone(MARK);
  await settled(before);
});

/** Opens what a command needs, and says how its input is framed. */
async function command(carrier: Carrier, path: string, stream: 'stdin' | 'stdout') {
  const socket = await open(`${path}&${stream}=1`, carrier);
  if (carrier !== 'SPDY/3.1') {
    return { socket, input: (bytes: Buffer) => webFrame(2, Buffer.concat([Buffer.from([0]), bytes])) };
  }
  const writer = new HeaderWriter();
  for (const [index, name] of ['error', stream].entries()) {
    const headers = writer.write(new Map([['streamtype', name]]));
    socket.write(
      controlFrame(SYN_STREAM, Buffer.concat([words(2 * index + 1, 0), Buffer.alloc(2), headers])),
    );
  }
  return { socket, input: (bytes: Buffer) => dataFrame(3, 0, bytes) };
}

test.each(['v5.channel.k8s.io', 'SPDY/3.1'] as const)(
  'output that nobody takes waits in the container, by %s',
  async (carrier) => {
    const bytes = `2${MARK}00`;
    const { socket } = await command(carrier, exec('head', '-c', bytes, '/dev/zero'), 'stdout');
    socket.pause();
    await live.until('it runs', () => processes(bytes) === 1);
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    expect(processes(bytes)).toBe(1);
    socket.destroy();
    await gone(bytes);
  },
);

test.each(['v5.channel.k8s.io', 'SPDY/3.1'] as const)(
  'a client that goes while its input is held up is noticed, by %s',
  async (carrier) => {
    const mark = `${MARK}9`;
    const { socket, input } = await command(carrier, exec('sleep', mark), 'stdin');
    await live.until('it runs', () => processes(mark) === 1);
    const piece = input(Buffer.alloc(60_000));
    // Until neither the process nor the server nor the wire takes any more.
    for (let quiet = 0; quiet < 10;) {
      const isTaken = socket.writableLength < 1 << 20;
      if (isTaken) socket.write(piece);
      else await new Promise((resolve) => setTimeout(resolve, 50));
      quiet = isTaken ? 0 : quiet + 1;
    }
    expect(processes(mark)).toBe(1);
    socket.destroy();
    await gone(mark);
  },
);
