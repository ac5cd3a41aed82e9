import http from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { isAuthorized } from './credentials.ts';
import { NGINX, openIngressBench, toService } from './testing.ts';
import type { IngressBench } from './testing.ts';

let bench: IngressBench;
beforeEach(async () => {
  bench = await openIngressBench();
});
afterEach(() => bench.close());

const echo: http.RequestListener = (request, response) => {
  void text(request).then((body) =>
    response.end(JSON.stringify({ url: request.url, headers: request.headers, body: body.length })),
  );
};

type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific';
type Annotations = Record<string, string>;

async function route(annotations: Annotations, place: { path?: string; pathType?: PathType } = {}) {
  await bench.serve('web', echo);
  const named = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]),
  );
  bench.ingress('web', { rules: [toService('shop.test', 'web', place)] }, named);
}

interface Answer {
  readonly code: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

function ask(path = '/', options: http.RequestOptions & { body?: string } = {}): Promise<Answer> {
  const { body, headers, ...rest } = options;
  return new Promise((resolve, reject) => {
    const all = { host: 'shop.test', ...(headers as http.OutgoingHttpHeaders) };
    const request = http.request({ port: bench.server.port, path, agent: false, ...rest, headers: all });
    request.on('error', reject);
    request.on('response', (response) => {
      void text(response).then((whole) =>
        resolve({ code: response.statusCode, headers: response.headers, text: whole }),
      );
    });
    request.end(body);
  });
}

const seen = async (path: string) => (JSON.parse((await ask(path)).text) as { url: string }).url;

describe('rewrite-target', () => {
  it('puts what the groups matched into the new path, and keeps the query', async () => {
    await route(
      { 'rewrite-target': '/$2', 'use-regex': 'true' },
      { path: '/api(/|$)(.*)', pathType: 'ImplementationSpecific' },
    );
    expect(await seen('/api/a/b?x=1&y')).toBe('/a/b?x=1&y');
    expect(await seen('/API')).toBe('/');
    expect((await ask('/apix')).code).toBe(404);
  });

  it('without groups is the path of every request', async () => {
    await route({ 'rewrite-target': '/base' }, { path: '/app' });
    expect(await seen('/app/deep?x')).toBe('/base?x');
  });

  it('is refused when the path is no regular expression, and says so', async () => {
    await route({ 'use-regex': 'true' }, { path: '/(?=evil)', pathType: 'ImplementationSpecific' });
    expect((await ask('/x')).code).toBe(404);
    expect(await bench.events()).toEqual([
      expect.stringMatching(/^AnnotationNotServed: path \/\(\?=evil\): /),
    ]);
  });

  it('costs no more time than the path is long, whatever the expression', async () => {
    await route({ 'use-regex': 'true' }, { path: '/(a+)+$', pathType: 'ImplementationSpecific' });
    const startedMs = performance.now();
    await ask(`/${'a'.repeat(5000)}!`);
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });
});

describe('bodies', () => {
  it('larger than proxy-body-size are answered with 413, of known and of unknown length', async () => {
    await route({ 'proxy-body-size': '1k' });
    expect((await ask('/', { method: 'POST', body: 'x'.repeat(1024) })).code).toBe(200);
    expect((await ask('/', { method: 'POST', body: 'x'.repeat(1025) })).code).toBe(413);
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await ask('/', { method: 'POST', headers: chunked, body: 'x'.repeat(5000) })).code).toBe(413);
  });

  it('are asked for only when a pod takes them', async () => {
    await route({ 'proxy-body-size': '1k' });
    const send = (length: number) =>
      raw(`POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`);
    expect(await send(10)).toMatch(/^HTTP\/1.1 100 Continue/);
    expect(await send(5000)).toMatch(/^HTTP\/1.1 413 /);
  });
});

/** The first that comes back for bytes that are sent as they are. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(bench.server.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once('close', () => resolve(''));
  });
}

describe('redirects', () => {
  it('are answered as the annotations say', async () => {
    await route({ 'permanent-redirect': 'https://new.test$request_uri' });
    expect(await ask('/a?b')).toMatchObject({ code: 301, headers: { location: 'https://new.test/a?b' } });
  });

  it('may be temporary, with a code of their own', async () => {
    await route({ 'temporal-redirect': 'https://new.test/', 'temporal-redirect-code': '307' });
    expect(await ask('/a')).toMatchObject({ code: 307, headers: { location: 'https://new.test/' } });
  });

  it('lead from the root to app-root', async () => {
    await route({ 'app-root': '/start' });
    expect(await ask('/')).toMatchObject({ code: 302, headers: { location: '/start' } });
    expect((await ask('/start')).code).toBe(200);
  });
});

describe('who may come', () => {
  it.each([
    [{ 'whitelist-source-range': '10.0.0.0/8, 127.0.0.1' }, 200],
    [{ 'whitelist-source-range': '10.0.0.0/8' }, 403],
    [{ 'denylist-source-range': '127.0.0.0/8' }, 403],
    [{ 'whitelist-source-range': '127.0.0.1, nonsense' }, 403],
    [{ 'denylist-source-range': 'nonsense' }, 403],
  ])('is said by %j: %i', async (annotations, code) => {
    await route(annotations);
    expect((await ask()).code).toBe(code);
  });

  it('is asked for name and password', async () => {
    // `openssl passwd -apr1 -salt 12345678 secret`
    bench.secret('users', {
      auth: 'ann:$apr1$12345678$0lqb/6VUFP8JY/s/jTrIk0\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n',
    });
    await route({ 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'The "shop"' });
    const auth = (login: string) => ask('/', { auth: login });
    const refused = await ask();
    expect(refused).toMatchObject({ code: 401, headers: { 'www-authenticate': 'Basic realm="The shop"' } });
    expect((await auth('bob:secret')).code).toBe(200);
    expect((await auth('ann:secret')).code).toBe(200);
    for (const wrong of ['bob:wrong', 'ann', 'eve:secret', ':', 'bob:'])
      expect((await auth(wrong)).code).toBe(401);
    bench.secret('users', {});
    expect((await auth('bob:secret')).code).toBe(401);
  });

  it('is nobody without the Secret, or with one of another namespace', async () => {
    await route({ 'auth-type': 'basic', 'auth-secret': 'other/users' });
    expect((await ask('/', { auth: 'bob:secret' })).code).toBe(401);
  });

  it('is refused with a password in a form that is not known, which is said', async () => {
    bench.secret('users', { auth: 'ann:$2y$05$abcdefghijklmnopqrstuv\n' });
    await route({ 'auth-type': 'basic', 'auth-secret': 'users' });
    expect((await ask('/', { auth: 'ann:secret' })).code).toBe(401);
    expect(await bench.events()).toEqual([expect.stringMatching(/^AuthNotServed: .*shop\/users.*ann/)]);
  });

  it('comes as often as limit-rps lets', async () => {
    await route({ 'limit-rps': '1', 'limit-burst-multiplier': '3' });
    const codes = [];
    for (let count = 0; count < 8; count += 1) codes.push((await ask()).code);
    expect(codes.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(codes.slice(5)).toEqual([503, 503, 503]);
  });
});

test.each([
  ['$apr1$', '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/'],
  ['$1$', '$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1'],
])('passwords in the form %s are those of openssl', (_form, hash) => {
  const settings = { namespace: 'n', secret: 's', realm: '', isMap: true };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', uid: '', resourceVersion: '', creationTimestamp: '' },
    data: { ann: Buffer.from(hash).toString('base64') },
  };
  const header = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  expect(isAuthorized(header('ann:secret'), settings, secret)).toBe(true);
  expect(isAuthorized(header('ann:other'), settings, secret)).toBe(false);
  expect(isAuthorized(header('constructor:x'), settings, secret)).toBe(false);
});

describe('cookies of affinity', () => {
  it('keep a client with its pod as long as it is there', async () => {
    const named =
      (name: string): http.RequestListener =>
      (_request, response) =>
        response.end(name);
    const pods = await bench.serve('web', named('a'), named('b'), named('c'));
    bench.ingress(
      'web',
      { rules: [toService('shop.test', 'web')] },
      {
        [`${NGINX}affinity`]: 'cookie',
        [`${NGINX}session-cookie-name`]: 'stay',
        [`${NGINX}session-cookie-max-age`]: '60',
      },
    );
    const first = await ask();
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^stay=[0-9a-f]{32}; Max-Age=60; Path=\/; HttpOnly$/);
    const headers = { cookie: `x=1; ${cookie.split(';')[0]}` };
    for (let count = 0; count < 6; count += 1) {
      const answer = await ask('/', { headers });
      expect(answer.text).toBe(first.text);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const gone = pods['abc'.indexOf(first.text)];
    gone?.closeAllConnections();
    await new Promise((resolve) => gone?.close(resolve));
    const next = await ask('/', { headers });
    expect(next.text).not.toBe(first.text);
    expect(next.headers['set-cookie']).toHaveLength(1);
  });
});

describe('CORS', () => {
  const cors = { 'enable-cors': 'true', 'cors-allow-origin': 'https://*.page.test, http://one.test' };

  it('is answered for preflights and said of everything else', async () => {
    await route({ ...cors, 'cors-max-age': '5', 'cors-allow-methods': 'GET' });
    const headers = { origin: 'https://a.page.test' };
    expect(await ask('/', { method: 'OPTIONS', headers })).toMatchObject({
      code: 204,
      headers: {
        'access-control-allow-origin': 'https://a.page.test',
        'access-control-allow-methods': 'GET',
        'access-control-max-age': '5',
        'access-control-allow-credentials': 'true',
      },
    });
    expect((await ask('/', { headers })).headers['access-control-allow-origin']).toBe('https://a.page.test');
  });

  it.each(['https://page.test', 'https://a.b.page.test', 'https://evil.test/.page.test', 'null'])(
    'does not let %s in',
    async (origin) => {
      await route(cors);
      expect(
        (await ask('/', { headers: { origin } })).headers['access-control-allow-origin'],
      ).toBeUndefined();
    },
  );
});

describe('other annotations', () => {
  it('change what the pod gets to see', async () => {
    await route({
      'upstream-vhost': 'inner.test',
      'x-forwarded-prefix': '/shop',
      'server-alias': 'alias.test',
    });
    const { text: body } = await ask('/', { headers: { host: 'alias.test' } });
    expect(JSON.parse(body)).toMatchObject({
      headers: { host: 'inner.test', 'x-forwarded-prefix': '/shop', 'x-forwarded-host': 'alias.test' },
    });
  });

  it('that are not acted upon are said, once', async () => {
    await route({
      'configuration-snippet': 'deny all;',
      'proxy-read-timeout': 'soon',
      'proxy-buffering': 'on',
    });
    expect((await bench.events()).toSorted()).toEqual([
      `AnnotationNotServed: ${NGINX}configuration-snippet: this ingress does not know it`,
      `AnnotationNotServed: ${NGINX}proxy-read-timeout: "soon" is no value for it`,
    ]);
    bench.objects.modify('ingresses.networking.k8s.io', 'shop', 'web', (stored) => {
      stored.metadata.labels = { touched: 'yes' };
    });
    expect(await bench.events()).toHaveLength(2);
  });

  it('of a protocol that is not spoken here refuse', async () => {
    await route({ 'backend-protocol': 'GRPC' });
    expect((await ask()).code).toBe(501);
    expect(await bench.events()).toEqual([expect.stringMatching(/backend-protocol: pods that speak GRPC/)]);
  });

  it('set how long a pod may be silent', async () => {
    await bench.serve('slow', () => undefined);
    bench.ingress(
      'slow',
      { rules: [toService('shop.test', 'slow')] },
      { [`${NGINX}proxy-read-timeout`]: '1' },
    );
    expect((await ask()).code).toBe(504);
  });
});

describe('what is no request', () => {
  it.each([
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a disguised coding',
      'POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'different lengths',
      'POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n',
      400,
    ],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : shop.test\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a bare line feed', 'GET / HTTP/1.1\r\nHost: shop.test\r\nX: a\nb\r\n\r\n', 400],
    ['too much', `GET / HTTP/1.1\r\nHost: shop.test\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['noise', '\u0001\u0002\r\n\r\n', 400],
  ])('is refused: %s', async (_name, bytes, code) => {
    await route({});
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
  });
});

describe('trailers', () => {
  it('travel back', async () => {
    await bench.serve('web', (_request, response) => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    });
    bench.ingress('web', { rules: [toService('shop.test', 'web')] });
    const response = await new Promise<http.IncomingMessage>((resolve) =>
      http.get({ port: bench.server.port, headers: { host: 'shop.test' }, agent: false }, resolve),
    );
    await text(response);
    expect(response.trailers).toEqual({ 'x-sum': '42' });
  });
});
