import { runOrThrow, systemClock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA } from '../media-types.ts';
import { createRegistry } from '../registry/registry.ts';
import { silentLogger } from '@updraft/kit';
import type { Image } from '../types.ts';
import { TEST_CREDENTIALS, randomImage, serve, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';
import { proxyFor } from './connections.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';

const OPTIONS = { insecure: true, credentials: TEST_CREDENTIALS };
const waits: number[] = [];
const impatient: Clock = { ...systemClock, sleep: (ms) => Promise.resolve(void waits.push(ms)) };

type Special = (request: IncomingMessage, response: ServerResponse) => boolean;

let here: TemporaryStore;
let there: TemporaryStore;
let servers: TestServer[];
let image: Image;

beforeEach(async () => {
  waits.length = 0;
  here = await temporaryStore();
  there = await temporaryStore();
  servers = [];
  image = await randomImage(there.store, { fileBytes: 300_000 });
});
afterEach(async () => {
  for (const server of servers) await server.close();
  await here.remove();
  await there.remove();
});

async function start(make: (host: string) => RequestListener): Promise<string> {
  const server = await serve(make);
  servers.push(server);
  return server.host;
}

/** Our own registry over the store `there`, with what a test does to its answers in front. */
async function registry(special: Special = () => false): Promise<string> {
  const { username, password } = TEST_CREDENTIALS;
  return await start((host) => {
    const authenticate = (name: string, word: string) =>
      name === username && word === password ? { allow: () => true } : undefined;
    const real = createRegistry({ store: there.store, host, authenticate, logger: silentLogger });
    return (request, response) => {
      if (!special(request, response)) real(request, response);
    };
  });
}

const isSigned = (request: IncomingMessage) => request.headers.authorization !== undefined;

describe('a pull', () => {
  test('goes on where a connection broke, and asks for no byte twice', async () => {
    const layer = image.manifest.layers[0];
    if (!layer) throw new Error('no layer');
    const bytes = await readFile(there.store.blobs.path(layer.digest));
    const asked: (string | undefined)[] = [];
    const host = await registry((request, response) => {
      if (!request.url?.endsWith(layer.digest) || !isSigned(request)) return false;
      asked.push(request.headers.range);
      if (asked.length > 5) return false;
      const start = Number(/=([0-9]+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const head = {
        'content-length': bytes.length - start,
        'content-range': `bytes ${start}-${bytes.length - 1}/*`,
      };
      response.writeHead(start > 0 ? 206 : 200, head);
      response.write(bytes.subarray(start, start + 100_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    });
    await there.store.tag(`${host}/a:t`, image.digest);
    expect(await pull(here.store, `${host}/a:t`, { ...OPTIONS, clock: impatient })).toEqual(image);
    expect(asked).toEqual([undefined, ...[1, 2, 3, 4, 5].map((step) => `bytes=${step * 100_000}-`)]);
  });

  test('of a platform: the variant that fits best, and one that was asked for', async () => {
    const descriptor = async (architecture: string, variant?: string) => {
      const { layers } = await randomImage(there.store, { seed: `${architecture}${variant}` });
      const made = await there.store.putImage({ os: 'linux', architecture }, layers);
      const platform = { os: 'linux', architecture, ...(variant && { variant }) };
      return { mediaType: MEDIA.ociManifest, digest: made.digest, size: 1, platform };
    };
    const manifests = [
      await descriptor('amd64', 'v3'),
      await descriptor('amd64', 'v2'),
      await descriptor('arm', 'v5'),
      await descriptor('arm', 'v7'),
      await descriptor('arm64', 'v8'),
    ];
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
    const { digest } = await there.store.blobs.write(Buffer.from(index));
    const host = await registry();
    await there.store.tag(`${host}/a:t`, digest);
    for (const [platform, expected] of [
      ['linux/amd64', manifests[1]],
      ['linux/amd64/v3', manifests[0]],
      ['linux/arm', manifests[3]],
      ['linux/arm/v5', manifests[2]],
      ['linux/arm64', manifests[4]],
    ] as const) {
      const pulled = await pull(here.store, `${host}/a:t`, { ...OPTIONS, platform });
      expect([platform, pulled.digest]).toEqual([platform, expected?.digest]);
      expect((await here.store.get(`${host}/a:t`))?.digest).toBe(expected?.digest);
    }
    for (const platform of ['linux/s390x', 'linux/arm/v6', 'linux', 'windows/amd64'])
      await expect(pull(here.store, `${host}/a:t`, { ...OPTIONS, platform })).rejects.toMatchObject({
        code: 'PLATFORM_MISSING',
      });
  });

  test('of layers that may not be distributed is refused in words', async () => {
    const [layer] = image.manifest.layers;
    const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const layers = image.manifest.layers.map((each) => (each === layer ? { ...each, mediaType } : each));
    const lie = Buffer.from(JSON.stringify({ ...image.manifest, layers }));
    const { digest } = await there.store.blobs.write(lie);
    const host = await registry();
    await there.store.link({ registry: host, repository: 'a' }, digest);
    await expect(pull(here.store, `${host}/a@${digest}`, OPTIONS)).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
      message: expect.stringContaining('foreign'),
    });
  });

  test.each([
    ['seconds', () => '7', 7000],
    ['a date', () => new Date(systemClock.now() + 9000).toUTCString(), 9000],
  ])('waits as long as it is asked to, in %s', async (_what, after, ms) => {
    let first = true;
    const host = await registry((request, response) => {
      if (!first || !request.url?.includes('/manifests/')) return false;
      first = false;
      response.writeHead(429, { 'retry-after': after() }).end();
      return true;
    });
    await there.store.tag(`${host}/a:t`, image.digest);
    await pull(here.store, `${host}/a:t`, { ...OPTIONS, clock: impatient });
    expect(waits).toHaveLength(1);
    expect(Math.abs((waits[0] ?? 0) - ms)).toBeLessThan(1500);
  });

  test('does not wait for an hour, but says so', async () => {
    const host = await registry((_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end('{"errors":[{"message":"slow down"}]}');
      return true;
    });
    await expect(pull(here.store, `${host}/a:t`, { ...OPTIONS, clock: impatient })).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('slow down'),
      next: expect.stringContaining('login'),
    });
    expect(waits).toEqual([]);
  });

  test('asks mirrors first, without credentials, and then the registry itself', async () => {
    const seen: (string | undefined)[] = [];
    const empty = await start(() => (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const full = await start(() => (request, response) => {
      seen.push(request.headers.authorization);
      const item = request.url?.split('/').at(-1) ?? '';
      expect(request.url).toMatch(/^\/v2\/cache\/group\/app\//);
      const digest = item.startsWith('sha256:') ? (item as Image['digest']) : image.digest;
      void there.store.blobs.readSmall(digest, 10_000_000).then((bytes) => response.end(bytes));
    });
    const mirrors = ['127.0.0.1:1', `http://${empty}`, `http://${full}/cache`];
    expect(await pull(here.store, 'registry.example.com/group/app:v1', { ...OPTIONS, mirrors })).toEqual(
      image,
    );
    expect(new Set(seen)).toEqual(new Set([undefined]));
    expect((await here.store.get('registry.example.com/group/app:v1'))?.digest).toBe(image.digest);
    const host = await registry();
    await there.store.tag(`${host}/a:t`, image.digest);
    const pulled = await pull(here.store, `${host}/a:t`, { ...OPTIONS, mirrors: [`http://${empty}`] });
    expect(pulled).toEqual(image);
    const asked = [`http://${empty}`, `http://${empty}`];
    await expect(
      pull(here.store, `${host}/a:t`, { ...OPTIONS, mirrors: asked, mirrorsOnly: true }),
    ).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', message: expect.stringContaining(empty) });
  });
});

describe('a push', () => {
  let mine: Image;
  beforeEach(async () => {
    mine = await randomImage(here.store, { seed: 'mine', layers: 1, fileBytes: 4_000_000 });
  });
  const names = async (host: string) => (await there.store.get(`${host}/a:t`))?.layers;

  test('mounts what another repository of the registry has', async () => {
    const uploads: string[] = [];
    const host = await registry((request) => {
      if (request.method === 'PUT' && request.url?.includes('/blobs/')) uploads.push(request.url);
      return false;
    });
    await there.store.tag(`${host}/base:1`, image.digest);
    const base = await pull(here.store, `${host}/base:1`, OPTIONS);
    const compressed = await push(here.store, base, `${host}/first:1`, OPTIONS);
    const pulled = await pull(here.store, `${host}/first:1`, OPTIONS);
    uploads.length = 0;
    expect((await push(here.store, pulled, `${host}/second:1`, OPTIONS)).digest).toBe(compressed.digest);
    expect(uploads).toEqual([]);
  });

  test('sends what it may not mount', async () => {
    const refused: string[] = [];
    const host = await registry((request, response) => {
      if (!request.url?.includes('mount=') || !isSigned(request)) return false;
      refused.push(request.url);
      response.writeHead(403).end();
      return true;
    });
    await there.store.tag(`${host}/base:1`, image.digest);
    const base = await pull(here.store, `${host}/base:1`, OPTIONS);
    await push(here.store, base, `${host}/a:t`, OPTIONS);
    expect(refused.length).toBeGreaterThan(0);
    expect(await names(host)).toMatchObject(image.layers);
  });

  test('goes in chunks where the whole is too large', async () => {
    const sizes: number[] = [];
    const host = await registry((request, response) => {
      const size = Number(request.headers['content-length'] ?? 0);
      if (request.method === 'PATCH') sizes.push(size);
      if (size < 9_000_000) return false;
      response.writeHead(413, { connection: 'close' }).end();
      return true;
    });
    await push(here.store, mine, `${host}/a:t`, OPTIONS);
    expect(await names(host)).toMatchObject(mine.layers);
    expect(sizes.length).toBe(2);
    expect(sizes[0]).toBe(8 * 1024 * 1024);
  });

  test('goes on with the rest when a connection broke', async () => {
    let broken = false;
    const ranges: (string | undefined)[] = [];
    const host = await registry((request, response) => {
      if (request.method === 'PATCH') ranges.push(request.headers['content-range']);
      const isLarge = Number(request.headers['content-length'] ?? 0) > 1_000_000;
      if (broken || !isLarge || request.method !== 'PUT') return false;
      broken = true;
      const watch = setInterval(() => {
        if (request.socket.bytesRead < 3_000_000) return;
        clearInterval(watch);
        response.destroy();
      }, 1);
      return false;
    });
    await push(here.store, mine, `${host}/a:t`, { ...OPTIONS, clock: impatient });
    expect(await names(host)).toMatchObject(mine.layers);
    expect(Number(ranges[0]?.split('-')[0])).toBeGreaterThan(1_000_000);
  });

  test('signs in again when its credentials ran out in the middle', async () => {
    let tokens = 0;
    const served = await registry();
    const basic = `Basic ${Buffer.from(`${TEST_CREDENTIALS.username}:${TEST_CREDENTIALS.password}`).toString('base64')}`;
    const scopes: string[][] = [];
    let isOld = false;
    const host = await registry((request, response) => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === '/token') {
        tokens += 1;
        scopes.push(url.searchParams.getAll('scope'));
        response.end(JSON.stringify({ token: `token-${tokens}` }));
        return true;
      }
      const isLast = request.headers.authorization === `Bearer token-${tokens}`;
      if (!isLast || (request.method === 'PUT' && tokens === 1)) {
        isOld ||= isLast;
        const challenge = `Bearer realm="/token",service="here"`;
        response.writeHead(401, { 'www-authenticate': challenge, connection: 'close' }).end();
        return true;
      }
      request.headers.authorization = basic;
      return false;
    });
    expect(served).not.toBe(host);
    await push(here.store, mine, `${host}/a:t`, { ...OPTIONS, clock: impatient });
    expect([isOld, tokens]).toEqual([true, 2]);
    expect(scopes[0]).toEqual(['repository:a:pull,push']);
    expect(await names(host)).toMatchObject(mine.layers);
  });
});

describe('the way to a registry', () => {
  test.each([
    ['http://r.example/', 'proxy:3128', 'http://proxy:3128'],
    ['https://r.example/', 'http://proxy:3128', undefined],
    ['http://localhost:5000/', 'proxy:3128', undefined],
    ['http://127.0.0.1/', 'proxy:3128', undefined],
    ['http://[::1]/', 'proxy:3128', undefined],
    ['http://inner.corp/', 'proxy:3128', undefined],
    ['http://a.inner.corp/', 'proxy:3128', undefined],
    ['http://notinner.corp/', 'proxy:3128', 'http://proxy:3128'],
    ['http://other.net:81/', 'proxy:3128', undefined],
    ['http://other.net/', 'proxy:3128', 'http://proxy:3128'],
  ])('%s through %s', (url, http, expected) => {
    expect(proxyFor(new URL(url), { http, no: 'inner.corp, other.net:81' })).toBe(expected);
    expect(proxyFor(new URL(url), { http, no: '*' })).toBeUndefined();
  });

  test('leads through a proxy, which gets whole addresses', async () => {
    await there.store.tag('r.example/a:t', image.digest);
    const asked: string[] = [];
    const { username, password } = TEST_CREDENTIALS;
    const real = createRegistry({
      store: there.store,
      host: 'r.example',
      logger: silentLogger,
      authenticate: (name, word) =>
        name === username && word === password ? { allow: () => true } : undefined,
    });
    const proxy = await start(() => (request, response) => {
      asked.push(request.url ?? '');
      request.url = new URL(request.url ?? '', 'http://x').pathname;
      real(request, response);
    });
    expect(await pull(here.store, 'r.example/a:t', { ...OPTIONS, proxies: { http: proxy } })).toEqual(image);
    expect(asked[0]).toBe('http://r.example/v2/a/manifests/t');
  });

  test('over TLS: with a certificate authority of our own, or none at all, or not', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'updraft-tls-'));
    const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')];
    const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await runOrThrow('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      ...name,
    ]);
    const ca = await readFile(cert, 'utf8');
    const server = createTlsServer({ key: await readFile(key), cert: ca });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { username, password } = TEST_CREDENTIALS;
    const authenticate = (user: string, word: string) =>
      user === username && word === password ? { allow: () => true } : undefined;
    server.on('request', createRegistry({ store: there.store, host, authenticate, logger: silentLogger }));
    await there.store.tag(`${host}/a:t`, image.digest);
    const credentials = TEST_CREDENTIALS;
    try {
      await expect(pull(here.store, `${host}/a:t`, { credentials })).rejects.toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        next: expect.stringContaining('certificate'),
      });
      expect(await pull(here.store, `${host}/a:t`, { credentials, ca })).toEqual(image);
      expect(await pull(here.store, `${host}/a:t`, { credentials, skipTlsVerify: true })).toEqual(image);
    } finally {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    }
  });

  test('never becomes less safe: a plain address from a registry with TLS is refused', async () => {
    const wrong = await start(() => (_request, response) => response.end());
    await expect(
      pull(here.store, `${wrong}/a:${digestOf('x').slice(7, 20)}`, { credentials: TEST_CREDENTIALS }),
    ).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });
});
