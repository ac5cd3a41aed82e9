import type { Clock } from '@updraft/kit';
import { systemClock } from '@updraft/kit';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA } from '../media-types.ts';
import { machineArchitecture } from '../platform.ts';
import type { Image } from '../types.ts';
import { TEST_CREDENTIALS, randomImage, serve, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';

const OPTIONS = { insecure: true, credentials: TEST_CREDENTIALS };

const options = (clock?: Clock) => ({ insecure: true, ...(clock && { clock }) });

describe('between two stores, over a registry', () => {
  let here: TemporaryStore;
  let there: TemporaryStore;
  let server: TestServer;
  let image: Image;

  beforeEach(async () => {
    here = await temporaryStore();
    there = await temporaryStore();
    server = await serveRegistry(there.store);
    image = await randomImage(there.store);
    await there.store.tag(`${server.host}/group/app:v1`, image.digest);
  });
  afterEach(async () => {
    await server.close();
    await here.remove();
    await there.remove();
  });

  test('pulls by tag and by digest, reports progress, and fetches nothing twice', async () => {
    const progress = new Map<string, number>();
    const onProgress = ({ digest, doneBytes }: { digest: string; doneBytes: number }) =>
      progress.set(digest, doneBytes);
    const name = `${server.host}/group/app:v1`;
    const pulled = await pull(here.store, name, { ...OPTIONS, onProgress });
    expect(pulled).toEqual(image);
    expect(await here.store.get(name)).toEqual(image);
    expect(await here.store.get(`${server.host}/group/app@${image.digest}`)).toEqual(image);
    for (const layer of image.manifest.layers) expect(progress.get(layer.digest)).toBe(layer.size);
    progress.clear();
    await pull(here.store, `${server.host}/group/app@${image.digest}`, { ...OPTIONS, onProgress });
    expect(progress.size).toBe(0);
  });

  test('pushes with compressed layers, and the second time sends no blob', async () => {
    const mine = await randomImage(here.store, { seed: 'mine', layers: 3 });
    const name = `${server.host}/group/mine:v1`;
    const { digest } = await push(here.store, mine, name, OPTIONS);
    expect(there.store.resolve(name)).toBe(digest);
    const manifest = await there.store.images.find(digest);
    expect(manifest?.manifest.layers.map((layer) => layer.mediaType)).toEqual(
      Array(3).fill(MEDIA.ociLayerGzip),
    );
    expect(manifest?.config.rootfs.diff_ids).toEqual(mine.layers.map((layer) => layer.diffId));
    const sent: string[] = [];
    const again = await push(here.store, mine, `${server.host}/group/mine:v2`, {
      ...OPTIONS,
      onProgress: (progress) => sent.push(progress.digest),
    });
    expect([again.digest, sent]).toEqual([digest, []]);
  });

  test.each([
    ['group/none:v1', OPTIONS, 'UNAUTHORIZED|IMAGE_NOT_FOUND'],
    ['group/app:none', OPTIONS, 'IMAGE_NOT_FOUND'],
    ['group/app:v1', { insecure: true }, 'UNAUTHORIZED'],
    [
      'group/app:v1',
      { insecure: true, credentials: { username: 'user', password: 'wrong' } },
      'UNAUTHORIZED',
    ],
    ['group/app:v1', { credentials: TEST_CREDENTIALS }, 'REGISTRY_UNREACHABLE'],
  ])('%s is a clear fault', async (name, options, code) => {
    const error: unknown = await pull(here.store, `${server.host}/${name}`, options).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      name: 'OciFault',
      code: expect.stringMatching(`^(${code})$`),
      next: expect.any(String),
    });
    expect(String(error)).not.toContain(TEST_CREDENTIALS.password);
    expect(await here.store.list()).toEqual([]);
  });
});

describe('registries that behave in their own ways', () => {
  let here: TemporaryStore;
  let source: TemporaryStore;
  let servers: TestServer[];
  let image: Image;

  beforeEach(async () => {
    here = await temporaryStore();
    source = await temporaryStore();
    servers = [];
    image = await randomImage(source.store);
  });
  afterEach(async () => {
    for (const server of servers) await server.close();
    await here.remove();
    await source.remove();
  });

  async function start(listener: RequestListener): Promise<string> {
    const server = await serve(() => listener);
    servers.push(server);
    return server.host;
  }

  /** Serves the image's content whatever the repository; the paths a test cares about come first. */
  async function serveImage(
    special: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
  ) {
    return await start((request, response) => {
      if (!special(request, response)) void content(request, response);
    });
  }

  async function content(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const item = (request.url ?? '').split('/').at(-1) ?? '';
    const digest = item.startsWith('sha256:') ? (item as Image['digest']) : image.digest;
    const bytes = await source.store.blobs.readSmall(digest, 10_000_000);
    response.end(bytes);
  }

  const waits: number[] = [];
  const impatient: Clock = { ...systemClock, sleep: (ms) => Promise.resolve(void waits.push(ms)) };

  test('a token server, asked with the credentials, for this repository', async () => {
    const asked: [string, string | undefined][] = [];
    const tokens = await start((request, response) => {
      asked.push([request.url ?? '', request.headers.authorization]);
      response.end(JSON.stringify({ token: 'the-token' }));
    });
    const host = await serveImage((request, response) => {
      if (request.headers.authorization === 'Bearer the-token') return false;
      const challenge = `Bearer realm="http://${tokens}/token",service="registry, really",scope="ignored"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    });
    expect(await pull(here.store, `${host}/a/b:t`, { ...OPTIONS })).toEqual(image);
    const basic = `Basic ${Buffer.from(`${TEST_CREDENTIALS.username}:${TEST_CREDENTIALS.password}`).toString('base64')}`;
    expect(asked.length).toBeGreaterThan(0);
    for (const [url, authorization] of asked) {
      expect(new URL(url, 'http://x').searchParams.get('scope')).toBe('repository:a/b:pull');
      expect(new URL(url, 'http://x').searchParams.get('service')).toBe('registry, really');
      expect(authorization).toBe(basic);
    }
  });

  test('credentials do not follow a redirect to another host', async () => {
    const seen: (string | undefined)[] = [];
    const storage = await start((request, response) => {
      seen.push(request.headers.authorization);
      void content(request, response);
    });
    const host = await serveImage((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        return true;
      }
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(307, { location: `http://${storage}${request.url}` }).end();
      return true;
    });
    expect(await pull(here.store, `${host}/a:t`, OPTIONS)).toEqual(image);
    expect(seen).toEqual(Array(3).fill(undefined));
  });

  test('a redirect in circles, and one away from TLS, are refused', async () => {
    const circle = await start(
      (request, response) => void response.writeHead(302, { location: request.url ?? '' }).end(),
    );
    await expect(pull(here.store, `${circle}/a:t`, options())).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
    });
  });

  test('busy answers and broken connections are tried again, with the wait the registry asks for', async () => {
    waits.length = 0;
    const failed = new Set<string>();
    const host = await serveImage((request, response) => {
      const key = request.url ?? '';
      if (failed.has(key)) return false;
      failed.add(key);
      if (key.includes('/manifests/')) response.writeHead(429, { 'retry-after': '7' }).end();
      else if (failed.size === 2) response.writeHead(503).end();
      else {
        response.writeHead(200, { 'content-length': 100_000 }).write('part');
        setTimeout(() => response.destroy(), 20);
      }
      return true;
    });
    expect(await pull(here.store, `${host}/a:t`, options(impatient))).toEqual(image);
    expect(waits).toContain(7000);
    expect(waits.length).toBe(4);
  });

  test('a registry that stays busy is a fault in the end', async () => {
    const host = await start((_request, response) => {
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'X', message: 'closed for lunch' }] }));
    });
    await expect(pull(here.store, `${host}/a:t`, options(impatient))).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('closed for lunch'),
    });
  });

  test('an endless error page is not read to its end', async () => {
    const host = await start((_request, response) => {
      response.writeHead(400);
      const more = () => {
        while (!response.destroyed && response.write('<p>'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    await expect(pull(here.store, `${host}/a:t`, options())).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
    });
  });

  test('wrong content is never stored', async () => {
    const layer = image.manifest.layers[1];
    const host = await serveImage((request, response) => {
      if (!layer || !request.url?.endsWith(layer.digest)) return false;
      response.end(Buffer.alloc(layer.size, 'x'));
      return true;
    });
    await expect(pull(here.store, `${host}/a:t`, options())).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
    expect(here.store.resolve(`${host}/a:t`)).toBeUndefined();
    expect(layer && (await here.store.blobs.size(layer.digest))).toBeUndefined();
  });

  test('content that does not end is cut off', async () => {
    const layer = image.manifest.layers[0];
    const host = await serveImage((request, response) => {
      if (!layer || !request.url?.endsWith(layer.digest)) return false;
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(100_000)));
      };
      response.on('drain', more);
      more();
      return true;
    });
    await expect(pull(here.store, `${host}/a:t`, options())).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
  });

  test('a manifest that is not what its digest says', async () => {
    const host = await start((_request, response) => response.end('{"schemaVersion":2}'));
    const name = `${host}/a@${image.digest}`;
    await expect(pull(here.store, name, options())).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });

  test('of an index, the image for this machine; the name keeps the index', async () => {
    const manifests = [
      {
        mediaType: MEDIA.ociManifest,
        digest: digestOf('other'),
        size: 1,
        platform: { os: 'linux', architecture: 's390x' },
      },
      {
        mediaType: MEDIA.ociManifest,
        digest: image.digest,
        size: 1,
        platform: { os: 'linux', architecture: machineArchitecture() },
      },
    ];
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
    const host = await serveImage((request, response) => {
      if (!request.url?.endsWith('/manifests/t')) return false;
      response.end(index);
      return true;
    });
    expect(await pull(here.store, `${host}/a:t`, options())).toEqual(image);
    expect(here.store.resolve(`${host}/a:t`)).toBe(digestOf(index));
    expect((await here.store.get(`${host}/a@${digestOf(index)}`))?.digest).toBe(image.digest);
    expect((await here.store.list()).map((item) => item.digest)).toEqual([digestOf(index)]);
  });

  test('a registry that is not there', async () => {
    const gone = await serve(() => () => undefined);
    await gone.close();
    const started = performance.now();
    await expect(pull(here.store, `${gone.host}/a:t`, options())).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('a pull can be given up', async () => {
    const host = await start(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 30);
    const pulling = pull(here.store, `${host}/a:t`, { insecure: true, signal: controller.signal });
    await expect(pulling).rejects.toThrow('enough');
  });
});
