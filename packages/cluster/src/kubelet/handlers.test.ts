import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Server } from 'node:net';
import { systemClock } from '@updraft/kit';
import type { Container } from '@updraft/pods';
import { afterEach, expect, test } from 'vitest';
import type { Handler } from '../kinds/pod.ts';
import { runHandler } from './handlers.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

const probe = (handler: Handler, timeoutMs = 1000) =>
  runHandler(
    handler,
    {
      container: { name: 'c' },
      running: undefined as unknown as Container,
      podAddress: '127.0.0.1',
      clock: systemClock,
    },
    timeoutMs,
  );

/** A server of the health protocol: how it is, by service; `undefined` is a service it does not know. */
const health = (statuses: Readonly<Record<string, number | undefined>>) => {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    let asked = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => (asked = Buffer.concat([asked, chunk])));
    stream.on('end', () => {
      const service = asked.subarray(7).toString();
      const status = statuses[service];
      const isHealth = headers[':path'] === '/grpc.health.v1.Health/Check';
      if (!isHealth || status === undefined) {
        return stream.respond(
          {
            'content-type': 'application/grpc',
            'grpc-status': isHealth ? 5 : 12,
            'grpc-message': 'unknown service',
          },
          { endStream: true },
        );
      }
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
  });
  return server;
};

test('gRPC: serving, not serving, an unknown service, nobody there', async () => {
  const port = await listening(health({ '': 1, down: 2 }));
  expect(await probe({ grpc: { port } })).toEqual({ ok: true });
  expect(await probe({ grpc: { port, service: 'down' } })).toEqual({
    ok: false,
    message: 'service unhealthy (responded with "NOT_SERVING")',
  });
  expect(await probe({ grpc: { port, service: 'other' } })).toMatchObject({
    message: 'error: health rpc probe failed: unknown service',
  });
  const result = await probe({ grpc: { port: 1 } });
  expect(result).toMatchObject({ ok: false, message: expect.stringContaining('connection refused') });
});

test('gRPC: a server that says nothing is given up', async () => {
  const silent = createHttp2Server();
  const port = await listening(silent);
  expect(await probe({ grpc: { port } }, 100)).toMatchObject({
    message: expect.stringContaining('within 0.1s'),
  });
});

const answering = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  listening(createHttpServer(answer));

test('HTTP: headers are sent, the codes from 200 to 399 pass', async () => {
  const port = await answering((request, response) => {
    response.statusCode = Number(request.headers['x-code']);
    response.end();
  });
  const get = (code: string) => ({ httpGet: { port, httpHeaders: [{ name: 'X-Code', value: code }] } });
  expect(await probe(get('204'))).toEqual({ ok: true });
  expect(await probe(get('399'))).toEqual({ ok: true });
  expect(await probe(get('503'))).toEqual({
    ok: false,
    message: 'HTTP probe failed with statuscode: 503',
  });
});

test('HTTP: a redirect is followed on the same host, and not elsewhere', async () => {
  const port = await answering((request, response) => {
    const at = request.url === '/here' ? '/broken' : 'http://elsewhere.example/';
    const code = request.url === '/broken' ? 500 : 302;
    response.writeHead(code, { location: at }).end();
  });
  expect(await probe({ httpGet: { port, path: '/here' } })).toMatchObject({ ok: false });
  expect(await probe({ httpGet: { port, path: '/away' } })).toEqual({ ok: true });
  const loop = await answering((_request, response) => response.writeHead(302, { location: '/' }).end());
  expect(await probe({ httpGet: { port: loop } })).toEqual({
    ok: false,
    message: 'stopped after 10 redirects',
  });
});

test.each(['127.0.0.1', 'localhost', '0.0.0.0', '::1', '[::1]', '0', '2130706433', '127.1'])(
  'a handler does not lead to this machine itself: %s',
  async (host) => {
    let asked = 0;
    const server = createHttpServer((_request, response) => {
      asked += 1;
      response.end();
    });
    server.on('connection', () => (asked += 1));
    const port = await listening(server);
    for (const handler of [{ httpGet: { host, port } }, { tcpSocket: { host, port } }])
      expect(await probe(handler)).toMatchObject({ ok: false });
    expect(asked).toBe(0);
  },
);
