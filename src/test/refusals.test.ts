import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EntryUnreadable, StoreBusy, StoreFull } from '../lib/store/store.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import { runApp, sendRaw, type RunningApp } from './testing/running-app.ts';

let app: RunningApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function ask(bytes: string | Buffer, options: Parameters<typeof runApp>[0] = {}) {
  app = await runApp(options);
  const [head = '', body = ''] = (await sendRaw(app.port, bytes)).split('\r\n\r\n');
  return { head, body: body === '' ? undefined : (JSON.parse(body) as Record<string, unknown>) };
}

describe('what the HTTP parser refuses', () => {
  it('is answered in the form of every error', async () => {
    const { head, body } = await ask('FOO /addresses?x=1 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
    expect(head).toMatch(/^allow: GET, HEAD, POST, OPTIONS\r?$/m);
    expect(head).toContain('Content-Type: application/json; charset=UTF-8');
    expect(body).toEqual({ method: 'FOO', uri: '/addresses', code: 405, message: 'Method Not Allowed' });
    expect(app?.lines().at(-1)).toMatchObject({ status: 405, method: 'FOO', route: '/addresses' });
  });

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400],
    ['an unknown method elsewhere', 'FOO /x HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405],
    [
      'two lengths',
      'POST /addresses HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      400,
    ],
  ])('%s', async (_what, bytes, code) => {
    const { head, body } = await ask(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
    expect(body).toMatchObject({ code });
  });

  it('a broken chunk of a body that is being read', async () => {
    const { head, body } = await ask(
      'POST /addresses HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
    );
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(body).toMatchObject({ method: 'POST', uri: '/addresses', code: 400 });
    await expect.poll(() => app?.lines().length).toBe(1);
    expect(app?.lines()).toMatchObject([
      { status: 400, route: '/addresses', error: expect.stringMatching(/^Bad Request: /) as string },
    ]);
  });

  it('ends connections that their client leaves open', async () => {
    app = await runApp();
    const socket = connect({ port: app.port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.write('x\r\n\r\n'),
    );
    socket.resume().on('error', () => undefined);
    await new Promise((resolve) => socket.on('end', resolve));
    expect(await app.connections()).toBe(1);
    await expect.poll(() => app?.connections(), { timeout: 10_000 }).toBe(0);
    socket.destroy();
  });

  it('a connection that goes away says nothing and harms nobody', async () => {
    app = await runApp();
    const { port, url } = app;
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST /addresses HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
        setTimeout(() => socket.resetAndDestroy(), 30);
      });
      socket.on('close', () => resolve());
    });
    expect((await fetch(`${url}/addresses`)).status).toBe(200);
    expect(app.lines()).toMatchObject([
      { method: 'POST', status: 499, error: 'the client went away' },
      { method: 'GET', status: 200 },
    ]);
  });
});

describe('HTTP as it is written', () => {
  const closing = 'Connection: close\r\n\r\n';

  it('wants a Host of HTTP/1.1 and none of HTTP/1.0', async () => {
    const without = await ask(`GET /addresses HTTP/1.1\r\n${closing}`);
    expect(without.head).toMatch(/^HTTP\/1\.1 400 /);
    expect(without.body).toMatchObject({ code: 400, uri: '/addresses' });
    await app?.close();
    expect((await ask('GET /addresses HTTP/1.0\r\n\r\n')).head).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('lets who sends too much finish, and goes on with the connection', async () => {
    app = await runApp();
    const post = 'POST /addresses HTTP/1.1\r\nHost: a\r\n';
    const [whole, chunk] = ['a'.repeat(200_000), `30d40\r\n${'a'.repeat(200_000)}\r\n0\r\n\r\n`];
    const answers = await sendRaw(
      app.port,
      `${post}Content-Length: 200000\r\n\r\n${whole}${post}Transfer-Encoding: chunked\r\n\r\n${chunk}` +
        `GET /livez HTTP/1.1\r\nHost: a\r\n${closing}`,
    );
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 413', 'HTTP/1.1 200']);
    const huge = await sendRaw(app.port, `${post}Content-Length: 99999999\r\n\r\n`);
    expect(huge).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/);
  });

  it('cuts a connection that never stops sending', async () => {
    app = await runApp();
    const head = 'POST /addresses HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const socket = connect(app.port, '127.0.0.1', () => socket.write(head));
    const chunk = `100000\r\n${'a'.repeat(1_048_576)}\r\n`;
    let sent = 0;
    const more = () => {
      while (!socket.destroyed && socket.write(chunk)) sent += 1;
    };
    socket
      .resume()
      .on('connect', more)
      .on('drain', more)
      .on('error', () => undefined);
    await new Promise((resolve) => socket.on('close', resolve));
    expect(sent).toBeLessThan(60);
  });

  it('knows the absolute form and OPTIONS *', async () => {
    const absolute = await ask(
      `GET http://example.org/addresses/?a=b HTTP/1.1\r\nHost: example.org\r\n${closing}`,
    );
    expect(absolute.head).toMatch(/^HTTP\/1\.1 200 /);
    await app?.close();
    const asterisk = await ask(`OPTIONS * HTTP/1.1\r\nHost: a\r\n${closing}`);
    expect(asterisk.head).toMatch(/^HTTP\/1\.1 204 /);
    expect(asterisk.head).toMatch(/^allow: GET, HEAD, POST, PUT, DELETE, OPTIONS\r?$/m);
  });

  it('does not wait for ever', async () => {
    // Node looks at slow connections every 30 s only, so the setting itself is what can be checked quickly.
    const { head } = await ask(`GET /livez HTTP/1.1\r\nHost: a\r\n${closing}`, { requestTimeoutMs: 1234 });
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
  });
});

class BrokenStore extends MemoryStore {
  readonly #error: Error;

  constructor(error: Error) {
    super({ maxEntries: 1 });
    this.#error = error;
  }

  override async list(): Promise<never> {
    throw this.#error;
  }

  override async ping(): Promise<never> {
    throw this.#error;
  }
}

describe('what the machine refuses', () => {
  it.each([
    [new Error('password=secret'), 500, 'Internal Server Error'],
    [new StoreFull('secret'), 507, 'Insufficient Storage'],
    [new StoreBusy('secret'), 503, 'Service Unavailable'],
    [new EntryUnreadable('secret'), 500, 'Stored entry is damaged'],
  ])('%s', async (error, code, message) => {
    app = await runApp({ store: new BrokenStore(error) });
    const response = await fetch(`${app.url}/addresses`);
    expect(await response.json()).toEqual({ method: 'GET', uri: '/addresses', code, message });
    expect(app.lines().at(-1)).toMatchObject({
      level: 'error',
      status: code,
      error: expect.stringContaining('secret') as string,
    });
    const ready = await fetch(`${app.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).not.toContain('secret');
  });

  it('leaves damaged entries out of the list and says so', async () => {
    const store = new MemoryStore({ maxEntries: 1 });
    store.list = async () => ({ text: '{}', unreadable: ['x'] });
    app = await runApp({ store });
    const response = await fetch(`${app.url}/addresses`);
    expect([response.status, response.headers.get('x-entries-unreadable')]).toEqual([200, '1']);
    expect(app.lines().some((line) => JSON.stringify(line).includes('damaged'))).toBe(true);
  });

  it('shows a trace with --debug only, also of what the parser refused', async () => {
    app = await runApp({ debug: true });
    const body = (await (await fetch(`${app.url}/x`)).json()) as { trace: string };
    expect(body.trace).toContain('HttpFault: Unknown Endpoint');
    const raw = await sendRaw(app.port, 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(raw).toContain('"trace":');
  });
});
