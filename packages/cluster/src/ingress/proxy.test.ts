import { once } from 'node:events';
import http from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@updraft/kit';
import type { Target } from '../controllers/endpoints/targets.ts';
import { Proxy } from './proxy.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { RouteSettings } from './settings.ts';

const closers: (() => void)[] = [];
let targets: Target[] | undefined = [];
let settings: RouteSettings = DEFAULT_SETTINGS;
let proxy: Proxy;
let port: number;
let server: Server;

beforeEach(async () => {
  targets = [];
  settings = DEFAULT_SETTINGS;
  let next = 0;
  proxy = new Proxy({
    clock: systemClock,
    find: () => {
      if (!targets) return undefined;
      next += 1;
      const start = targets.length === 0 ? 0 : next % targets.length;
      return { settings, targets: [...targets.slice(start), ...targets.slice(0, start)] };
    },
    hasTls: () => false,
    tlsPort: () => 443,
    secretOf: () => undefined,
  });
  server = http.createServer((request, response) => proxy.handle(request, response));
  server.on('upgrade', (request, socket, head) => proxy.upgrade(request, socket, head));
  port = await open(server);
  closers.push(() => proxy.close());
});

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function open(server: Server | net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    if (server instanceof http.Server) server.closeAllConnections();
  });
  return (server.address() as net.AddressInfo).port;
}

async function backend(listener: (...parts: Parameters<RequestListener>) => unknown): Promise<Target> {
  return {
    address: '127.0.0.1',
    port: await open(http.createServer((request, response) => void listener(request, response))),
  };
}

/** A port that nobody listens on. */
async function deadTarget(): Promise<Target> {
  const server = net.createServer();
  const free = await open(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { address: '127.0.0.1', port: free };
}

interface Call {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

function call(path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, path, method, headers: { host: 'shop.test', ...headers }, agent: false },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
}

test('method, path, host, body and repeated headers travel; those of the connection do not', async () => {
  let seen: IncomingMessage | undefined;
  let body = '';
  targets = [
    await backend(async (request, response) => {
      seen = request;
      body = await text(request);
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.setHeader('connection', 'close, x-secret');
      response.setHeader('x-secret', 'hop');
      response.writeHead(201, 'Made').end('done');
    }),
  ];
  const response = await call('/a%2Fb?q=1', {
    method: 'POST',
    body: 'hello',
    headers: {
      'x-forwarded-for': '6.6.6.6',
      connection: 'x-hop',
      'x-hop': '1',
      'x-many': ['1', '2'],
      te: 'trailers',
    },
  });
  expect(response.statusCode).toBe(201);
  expect(response.statusMessage).toBe('Made');
  expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(response.headers['x-secret']).toBeUndefined();
  expect(await text(response)).toBe('done');
  expect(body).toBe('hello');
  expect(seen).toMatchObject({ method: 'POST', url: '/a%2Fb?q=1' });
  expect(seen?.headers).toMatchObject({
    host: 'shop.test',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'shop.test',
    'x-forwarded-proto': 'http',
    'x-many': '1, 2',
  });
  expect(seen?.headers['x-hop']).toBeUndefined();
  expect(seen?.headers.te).toBeUndefined();
});

test('a pod that refuses connections is skipped, with the body unharmed', async () => {
  const alive = await backend((request, response) => void text(request).then((all) => response.end(all)));
  targets = [await deadTarget(), alive];
  for (let count = 0; count < 4; count += 1) {
    const response = await call('/', { method: 'POST', body: 'x'.repeat(100_000) });
    expect(response.statusCode).toBe(200);
    expect(await text(response)).toHaveLength(100_000);
  }
});

test('404, 503 and 502 are short texts', async () => {
  targets = undefined;
  expect((await call('/')).statusCode).toBe(404);
  targets = [];
  const nobody = await call('/');
  expect(nobody.statusCode).toBe(503);
  expect(await text(nobody)).toMatch(/^503 Service Unavailable: no pod/);
  targets = [await deadTarget()];
  expect((await call('/')).statusCode).toBe(502);
});

test('a request that reached a pod is not sent again', async () => {
  let asked = 0;
  const breaking = await backend((request) => {
    asked += 1;
    request.socket.destroy();
  });
  targets = [breaking, breaking];
  const response = await call('/', { method: 'POST', body: 'pay' });
  expect(response.statusCode).toBe(502);
  expect(asked).toBe(1);
});

test('an idle connection that breaks is replaced without the client noticing', async () => {
  const sockets = new Set<net.Socket>();
  const server = http.createServer((_request, response) => response.end('ok'));
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => sockets.add(socket));
  targets = [{ address: '127.0.0.1', port: await open(server) }];
  await text(await call('/'));
  for (let count = 0; count < 20; count += 1) {
    const [response] = await Promise.all([
      call('/'),
      Promise.resolve([...sockets].map((socket) => socket.destroy())),
    ]);
    expect(response.statusCode).toBe(200);
    await text(response);
  }
});

test('bodies stream in both directions', async () => {
  targets = [
    await backend((request, response) => {
      response.writeHead(200);
      request.on('data', (chunk: Buffer) => response.write(`echo ${chunk.toString()}`));
      request.on('end', () => response.end());
    }),
  ];
  const request = http.request({ port, method: 'POST', headers: { host: 'shop.test' }, agent: false });
  request.write('one');
  const [response] = (await new Promise((resolve) => request.once('response', (got) => resolve([got])))) as [
    IncomingMessage,
  ];
  const first = await new Promise<string>((resolve) =>
    response.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  expect(first).toBe('echo one');
  request.end('two');
  expect(await text(response)).toBe('echo two');
});

test('WebSocket upgrades pass through', async () => {
  const server = http.createServer();
  server.on('upgrade', (_request, socket: net.Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  targets = [{ address: '127.0.0.1', port: await open(server) }];
  const request = http.request({
    port,
    headers: { host: 'shop.test', connection: 'Upgrade', upgrade: 'echo' },
    agent: false,
  });
  request.end();
  const socket = await new Promise<net.Socket>((resolve) =>
    request.once('upgrade', (_response, got) => resolve(got)),
  );
  socket.write('ping');
  const answer = await new Promise<string>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  expect(answer).toBe('ping');
  socket.destroy();
});

test.each([
  ['nobody serves it', undefined],
  ['nobody is behind it', []],
  ['who is behind it does not want to', 'plain'],
] as const)('an upgrade that comes to nothing leaves no connection behind: %s', async (_why, kind) => {
  targets =
    kind === 'plain' ? [await backend((_request, response) => response.end('no'))] : kind && [...kind];
  const count = () => new Promise<number>((resolve) => server.getConnections((_error, all) => resolve(all)));
  for (let round = 0; round < 5; round += 1) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.write('more '.repeat(100_000));
    await once(socket, 'readable');
    socket.destroy();
  }
  await expect.poll(count).toBe(0);
});
