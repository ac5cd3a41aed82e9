import { once } from 'node:events';
import { createServer } from 'node:http';
import { createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../store/types.ts';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { configMap, pod } from './testing/manifests.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const INITIAL = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=2';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

/** A client that takes nothing until it is told to. */
async function deaf(request: string): Promise<TLSSocket> {
  const { ca, client } = under.credentials;
  const identity = { ca, cert: client.certificate, key: client.key };
  const socket = connect({ host: '127.0.0.1', port: under.port, ...identity });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.pause();
  socket.write(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`);
  // What it is sent from here on waits in the server.
  await once(socket, 'readable');
  return socket;
}

async function heard(socket: TLSSocket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  if (!socket.closed) await once(socket, 'close');
  return bytes;
}

const map = (name: string, bytes: number) => {
  const made = configMap(name, { text: 'x'.repeat(bytes) });
  const metadata = { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' };
  return { ...made, metadata } as unknown as KubeObject;
};

it('what there is when a watch begins is sent whole, though it is more than may wait later', async () => {
  for (let index = 0; index < 90; index += 1)
    under.store.create('configmaps', map(`large-${index}`, 500_000));
  const watch = await under.watch(`${MAPS}?${INITIAL}`);
  await watch.ended;
  expect(watch.lines.filter(({ type }) => type === 'ADDED')).toHaveLength(90);
  expect(watch.lines.at(-1)).toMatchObject({ type: 'BOOKMARK' });
});

it('a watcher that takes nothing is dropped; what waits for it is bounded', async () => {
  const from = under.store.revision;
  under.store.create('configmaps', map('busy', 500_000));
  const socket = await deaf(`GET ${MAPS}?watch=true&resourceVersion=${from}`);
  for (let index = 0; index < 100; index += 1) {
    under.store.modify('configmaps', 'default', 'busy', (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { turn: String(index) } },
    }));
    await new Promise(setImmediate);
  }
  // Fifty megabytes have happened.
  expect(await heard(socket)).toBeLessThan(20_000_000);
});

it('a client that asks nothing is let go; one that waits for what happens is not', async () => {
  const other = await startApi({ limits: { silenceMs: 300, connections: 4 } });
  const idle = connect({ host: '127.0.0.1', port: other.port, ca: other.credentials.ca });
  const mute = createConnection({ host: '127.0.0.1', port: other.port });
  for (const socket of [idle, mute]) socket.on('error', () => undefined).resume();
  const watch = await other.watch(`${MAPS}?watch=true`);
  await Promise.all([once(idle, 'close'), once(mute, 'close')]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  await other.send('POST', MAPS, { body: configMap('late') });
  await expect.poll(() => watch.lines.length).toBe(1);
  watch.stop();
  await other.close();
});

it('there are only so many connections at a time', async () => {
  const other = await startApi({ limits: { silenceMs: 30_000, connections: 4 } });
  const sockets = Array.from({ length: 12 }, () => createConnection({ host: '127.0.0.1', port: other.port }));
  let closed = 0;
  for (const socket of sockets)
    socket
      .on('error', () => undefined)
      .on('close', () => (closed += 1))
      .resume();
  await expect.poll(() => closed).toBe(8);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => closed).toBe(12);
  await expect.poll(async () => (await other.send('GET', '/healthz')).code).toBe(200);
  await other.close();
});

it.each([
  ['refused, to a stranger', '/api/v1/namespaces/default/pods/x/exec', 401],
  ['answered by a pod', '/api/v1/namespaces/default/pods/web:PORT/proxy/', 200],
])(
  'an upgrade that is %s leaves no connection behind, whatever else the client says',
  async (_what, place, code) => {
    const other = await startApi({ limits: { silenceMs: 30_000, connections: 4 } });
    const inside = createServer((_request, response) => response.end('no')).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const where = place.replace('PORT', String((inside.address() as AddressInfo).port));
    await other.send('POST', '/api/v1/namespaces/default/pods', { body: pod('web') });
    const { port, credentials } = other;
    const { certificate: cert, key } = credentials.client;
    const identity = code === 401 ? {} : { cert, key };
    for (let round = 0; round < 8; round += 1) {
      const socket = connect({ host: '127.0.0.1', port, ca: credentials.ca, ...identity });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      const upgrade = `GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket`;
      socket.write(`${upgrade}\r\n\r\n${'more '.repeat(50_000)}`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toContain(`HTTP/1.1 ${code} `);
      socket.destroy();
    }
    await expect.poll(async () => (await other.send('GET', '/healthz')).code).toBe(200);
    inside.close();
    await other.close();
  },
);
