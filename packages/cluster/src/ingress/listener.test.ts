import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect as connectSession } from 'node:http2';
import { createConnection } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSelfSigned } from '../api/certificates.ts';
import { createListener } from './listener.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  const pem = await createSelfSigned({ name: 'test', hosts: ['localhost'] }, Date.now(), 1);
  const handler = {
    handle: (request: { url?: string }, response: { end: (text: string) => void }) => {
      // One that takes its time: longer than a connection that is idle lasts.
      if (request.url === '/slow') setTimeout(() => response.end('late'), 900);
      else response.end('at once');
    },
    upgrade: () => undefined,
  };
  const identity = { contextFor: () => undefined, fallback: async () => pem };
  server = createListener(handler as never, identity, { keepAliveMs: 300, silenceMs: 300 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const quiet = <T extends Socket>(socket: T): T => socket.on('error', () => undefined).resume();
const secure = (ALPNProtocols: string[]) =>
  quiet(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols }));

test('the time for headers is limited whichever way they come', () => {
  const identity = { contextFor: () => undefined, fallback: () => Promise.reject(new Error('none')) };
  const standard = createListener({ handle: () => undefined, upgrade: () => undefined }, identity);
  expect([standard.headersTimeout, standard.requestTimeout]).toEqual([60_000, 0]);
});

test('clients that say nothing are let go: before the first byte, in the handshake, before and after a request', async () => {
  const [silent, halfway] = [0, 1].map(() => quiet(createConnection({ host: '127.0.0.1', port })));
  halfway?.write(Buffer.from([0x16, 3, 1, 2]));
  const idle = secure(['h2']);
  const session = connectSession(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  const [answer] = await once(session.request({ ':path': '/' }).resume(), 'response');
  expect(answer).toMatchObject({ ':status': 200 });
  await Promise.all([silent, halfway, idle, session].map((one) => once(one as Socket, 'close')));
});

test('a request that takes its time is waited for', async () => {
  const session = connectSession(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  const stream = session.request({ ':path': '/slow' });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(stream, 'end');
  expect(text).toBe('late');
  session.destroy();
});
