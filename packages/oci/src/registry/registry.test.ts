import { silentLogger, systemClock } from '@updraft/kit';
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA } from '../media-types.ts';
import type { Digest } from '../types.ts';
import { openImageStore } from '../store/store.ts';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';
import type { Access } from './exchange.ts';

const { username, password } = TEST_CREDENTIALS;
const AUTHORIZATION = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

async function errorCode(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors: { code: string }[] };
  return body.errors[0]?.code;
}

describe('the registry', () => {
  let temporary: TemporaryStore;
  let server: TestServer;
  let allow: Access['allow'];

  beforeEach(async () => {
    allow = () => true;
    temporary = await temporaryStore();
    server = await serveRegistry(temporary.store, {
      allow: (repository, action) => allow(repository, action),
    });
  });
  afterEach(async () => {
    await server.close();
    await temporary.remove();
  });

  async function call(
    method: string,
    path: string,
    options: { body?: string | Buffer; headers?: Record<string, string> } = {},
  ) {
    const { body, headers = {} } = options;
    const init = {
      method,
      headers: { authorization: AUTHORIZATION, ...headers },
      redirect: 'manual' as const,
    };
    return await fetch(`http://${server.host}${path}`, body === undefined ? init : { ...init, body });
  }

  async function push(repository: string, content: string | Buffer): Promise<Digest> {
    const digest = digestOf(content);
    const response = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      body: content,
    });
    expect(response.status).toBe(201);
    return digest;
  }

  async function pushArtifact(repository: string, tag: string, extra: object = {}): Promise<Digest> {
    const empty = await push(repository, '{}');
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      artifactType: 'application/x-note',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 },
      layers: [{ mediaType: 'text/plain', digest: empty, size: 2 }],
      ...extra,
    };
    const body = JSON.stringify(manifest);
    const path = `/v2/${repository}/manifests/${tag === '' ? digestOf(body) : tag}`;
    const response = await call('PUT', path, { body, headers: { 'content-type': MEDIA.ociManifest } });
    expect(response.status).toBe(201);
    return digestOf(body);
  }

  describe('credentials', () => {
    test.each([
      ['none', undefined],
      ['a wrong password', `Basic ${Buffer.from('user:wrong').toString('base64')}`],
      ['another scheme', 'Bearer abc'],
      ['garbage', 'Basic ???'],
    ])('%s: 401 with a challenge', async (_what, authorization) => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(`http://${server.host}/v2/`, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Basic realm=');
      expect(await errorCode(response)).toBe('UNAUTHORIZED');
    });

    test('what a user may not do is denied, by repository and action', async () => {
      const digest = await push('a/b', 'content');
      allow = (repository, action) => repository === 'a/b' && action === 'pull';
      expect((await call('GET', `/v2/a/b/blobs/${digest}`)).status).toBe(200);
      for (const [method, path] of [
        ['POST', '/v2/a/b/blobs/uploads/'],
        ['PUT', '/v2/a/b/manifests/t'],
        ['DELETE', `/v2/a/b/blobs/${digest}`],
        ['GET', `/v2/other/blobs/${digest}`],
        ['GET', '/v2/other/tags/list'],
      ] as const) {
        const response = await call(method, path);
        expect([method, path, response.status]).toEqual([method, path, 403]);
        expect(await errorCode(response)).toBe('DENIED');
      }
    });

    test('knowing a digest gives nobody the content of another repository', async () => {
      const digest = await push('private', 'content');
      expect((await call('GET', `/v2/public/blobs/${digest}`)).status).toBe(404);
      const manifest = {
        schemaVersion: 2,
        mediaType: MEDIA.ociManifest,
        config: { mediaType: MEDIA.ociConfig, digest, size: 7 },
        layers: [],
      };
      const options = { body: JSON.stringify(manifest), headers: { 'content-type': MEDIA.ociManifest } };
      const response = await call('PUT', '/v2/public/manifests/t', options);
      expect(await errorCode(response)).toBe('MANIFEST_BLOB_UNKNOWN');
      allow = (repository) => repository !== 'private';
      for (const from of ['&from=private', ''])
        expect((await call('POST', `/v2/public/blobs/uploads/?mount=${digest}${from}`)).status).toBe(202);
    });
  });

  describe('blobs', () => {
    test('in one request, and read back whole and in ranges', async () => {
      const digest = await push('a', '0123456789');
      const path = `/v2/a/blobs/${digest}`;
      const head = await call('HEAD', path);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
      expect(head.headers.get('docker-content-digest')).toBe(digest);
      const range = async (value: string) => await call('GET', path, { headers: { range: value } });
      const middle = await range('bytes=2-4');
      expect([middle.status, await middle.text(), middle.headers.get('content-range')]).toEqual([
        206,
        '234',
        'bytes 2-4/10',
      ]);
      expect(await (await range('bytes=7-')).text()).toBe('789');
      expect(await (await range('bytes=-2')).text()).toBe('89');
      expect(await (await range('bytes=8-100')).text()).toBe('89');
      expect((await range('bytes=10-')).status).toBe(416);
      expect((await range('bytes=0-1,3-4')).status).toBe(200);
    });

    test('in chunks, in order only', async () => {
      const start = await call('POST', '/v2/a/blobs/uploads/');
      const location = start.headers.get('location') ?? '';
      expect([start.status, start.headers.get('range')]).toEqual([202, '0-0']);
      const patch = async (body: string, range: string) =>
        await call('PATCH', location, { body, headers: { 'content-range': range } });
      expect((await patch('45', '3-4')).status).toBe(416);
      const first = await patch('012', '0-2');
      expect([first.status, first.headers.get('range')]).toEqual([202, '0-2']);
      expect((await patch('012', '0-2')).status).toBe(416);
      expect((await patch('34', '3-9')).status).toBe(400);
      const status = await call('GET', location);
      expect([status.status, status.headers.get('range')]).toEqual([204, '0-2']);
      const digest = digestOf('01234');
      const options = { body: '34', headers: { 'content-range': '3-4' } };
      const done = await call('PUT', `${location}?digest=${digest}`, options);
      expect([done.status, done.headers.get('location')]).toEqual([201, `/v2/a/blobs/${digest}`]);
      expect(await (await call('GET', `/v2/a/blobs/${digest}`)).text()).toBe('01234');
      expect((await call('GET', location)).status).toBe(404);
    });

    test('a wrong digest stores nothing and ends the upload', async () => {
      const wrong = digestOf('other');
      const response = await call('POST', `/v2/a/blobs/uploads/?digest=${wrong}`, { body: 'content' });
      expect([response.status, await errorCode(response)]).toEqual([400, 'DIGEST_INVALID']);
      expect(await temporary.store.blobs.size(digestOf('content'))).toBeUndefined();
      expect((await call('HEAD', `/v2/a/blobs/${wrong}`)).status).toBe(404);
    });

    test('an upload that broke off goes on where it stopped', async () => {
      const location = (await call('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      await new Promise<void>((resolve) => {
        const headers = { authorization: AUTHORIZATION, 'content-length': 1000 };
        const cut = plainRequest(`http://${server.host}${location}`, { method: 'PATCH', headers });
        cut.once('error', () => resolve());
        cut.write('0123');
        void waitFor(async () => (await call('GET', location)).headers.get('range') === '0-3').then(() =>
          cut.destroy(),
        );
      });
      const digest = digestOf('012345');
      const done = await call('PUT', `${location}?digest=${digest}`, { body: '45' });
      expect(done.status).toBe(201);
    });

    test('an upload that broke off goes on in the next process, with what is on the disk', async () => {
      const location = (await call('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      await call('PATCH', location, { body: '0123' });
      await server.close();
      const next = await openImageStore(temporary.dir, { clock: systemClock, logger: silentLogger });
      server = await serveRegistry(next, { allow: () => true });
      // The host is part of a repository's full name, and this server has another port.
      const full = next.records.uploadRepository(location.split('/').at(-1) ?? '') ?? '';
      next.records.setUpload(location.split('/').at(-1) ?? '', full.replace(/^[^/]+/, server.host), 0);
      expect((await call('GET', location)).headers.get('range')).toBe('0-3');
      const digest = digestOf('012345');
      expect((await call('PUT', `${location}?digest=${digest}`, { body: '45' })).status).toBe(201);
      expect(await (await call('GET', `/v2/a/blobs/${digest}`)).text()).toBe('012345');
      next.close();
    });

    test('uploads that nobody goes on with are gone after an hour', async () => {
      const location = (await call('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      const id = location.split('/').at(-1) ?? '';
      temporary.store.records.setUpload(id, `${server.host}/a`, systemClock.now() - 2 * 3_600_000);
      expect(await readdir(path.join(temporary.dir, 'uploads'))).toEqual([id]);
      const other = (await call('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      expect(await readdir(path.join(temporary.dir, 'uploads'))).toEqual([other.split('/').at(-1)]);
      expect((await call('GET', location)).status).toBe(404);
    });

    test('content that was named by sha512 can be had by both names', async () => {
      const digest = `sha512:${createHash('sha512').update('content').digest('hex')}`;
      const done = await call('POST', `/v2/a/blobs/uploads/?digest=${digest}`, { body: 'content' });
      expect(done.status).toBe(201);
      expect(await (await call('GET', `/v2/a/blobs/${digest}`)).text()).toBe('content');
      expect(await temporary.store.blobs.size(digestOf('content'))).toBe(7);
    });

    test('a damaged blob is answered by a broken connection, and can then be pushed anew', async () => {
      const digest = await push('a', 'content');
      await writeFile(temporary.store.blobs.path(digest), 'garbage');
      await expect(call('GET', `/v2/a/blobs/${digest}`).then((answer) => answer.text())).rejects.toThrow();
      expect((await call('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
      await push('a', 'content');
      expect(await (await call('GET', `/v2/a/blobs/${digest}`)).text()).toBe('content');
    });

    test('an upload can be cancelled, and belongs to its repository', async () => {
      const location = (await call('POST', '/v2/a/blobs/uploads/')).headers.get('location') ?? '';
      expect((await call('GET', location.replace('/v2/a/', '/v2/b/'))).status).toBe(404);
      expect((await call('DELETE', location)).status).toBe(204);
      expect(await errorCode(await call('PATCH', location, { body: 'x' }))).toBe('BLOB_UPLOAD_UNKNOWN');
    });

    test('mounted from another repository, and deleted from one only', async () => {
      const digest = await push('a', 'content');
      const mounted = await call('POST', `/v2/b/blobs/uploads/?mount=${digest}&from=a`);
      expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/b/blobs/${digest}`]);
      expect((await call('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202);
      expect((await call('GET', `/v2/a/blobs/${digest}`)).status).toBe(404);
      expect((await call('GET', `/v2/b/blobs/${digest}`)).status).toBe(200);
    });
  });

  describe('manifests', () => {
    test('what was tagged in the store can be pulled, what is pushed is in the store', async () => {
      const image = await randomImage(temporary.store);
      await temporary.store.tag(`${server.host}/group/app:v1`, image.digest);
      const response = await call('GET', '/v2/group/app/manifests/v1');
      expect(response.headers.get('docker-content-digest')).toBe(image.digest);
      const body = Buffer.from(await response.arrayBuffer());
      expect(digestOf(body)).toBe(image.digest);
      for (const layer of image.manifest.layers) {
        const blob = await call('GET', `/v2/group/app/blobs/${layer.digest}`);
        expect(
          createHash('sha256')
            .update(Buffer.from(await blob.arrayBuffer()))
            .digest('hex'),
        ).toBe(layer.digest.slice(7));
      }
      const options = { body, headers: { 'content-type': image.manifest.mediaType } };
      expect((await call('PUT', '/v2/group/app/manifests/v2', options)).status).toBe(201);
      expect((await temporary.store.get(`${server.host}/group/app:v2`))?.digest).toBe(image.digest);
      const tags = await (await call('GET', '/v2/group/app/tags/list')).json();
      expect(tags).toEqual({ name: 'group/app', tags: ['v1', 'v2'] });
    });

    test('put by digest must have that digest; a tag must be one', async () => {
      const digest = await pushArtifact('a', '');
      expect((await call('HEAD', `/v2/a/manifests/${digest}`)).status).toBe(200);
      const wrong = await call('PUT', `/v2/a/manifests/${digestOf('x')}`, { body: '{"schemaVersion":2}' });
      expect(await errorCode(wrong)).toBe('DIGEST_INVALID');
      expect((await call('PUT', '/v2/a/manifests/-bad-', { body: '{}' })).status).toBe(400);
      expect((await call('GET', '/v2/a/manifests/none')).status).toBe(404);
      expect((await call('PUT', '/v2/a/manifests/t', { body: 'not json' })).status).toBe(400);
      expect((await call('PUT', '/v2/a/manifests/t', { body: Buffer.alloc(5_000_000, 32) })).status).toBe(
        413,
      );
    });

    test('deleting a tag leaves the manifest, deleting the manifest takes its tags', async () => {
      const digest = await pushArtifact('a', 'one');
      await pushArtifact('a', 'two');
      expect((await call('DELETE', '/v2/a/manifests/one')).status).toBe(202);
      expect((await call('GET', '/v2/a/manifests/one')).status).toBe(404);
      expect((await call('GET', `/v2/a/manifests/${digest}`)).status).toBe(200);
      expect((await call('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(202);
      expect((await call('GET', '/v2/a/manifests/two')).status).toBe(404);
      expect(await (await call('GET', '/v2/a/tags/list')).json()).toEqual({ name: 'a', tags: [] });
      expect((await call('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(404);
    });

    test('referrers are listed by subject, filtered by type, and survive pruning with it', async () => {
      const subject = await pushArtifact('a', 'subject');
      const descriptor = { mediaType: MEDIA.ociManifest, digest: subject, size: 1 };
      const annotations = { note: 'hello' };
      const digest = await pushArtifact('a', '', { subject: descriptor, annotations });
      await pushArtifact('a', '', { subject: descriptor, artifactType: 'application/x-other' });
      const list = async (query = '') => await call('GET', `/v2/a/referrers/${subject}${query}`);
      const all = (await (await list()).json()) as { manifests: { digest: string }[] };
      expect(all.manifests).toHaveLength(2);
      const filtered = await list('?artifactType=application/x-note');
      expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
      const { manifests } = (await filtered.json()) as { manifests: object[] };
      const artifactType = 'application/x-note';
      expect(manifests).toEqual([
        { mediaType: MEDIA.ociManifest, digest, size: expect.any(Number), artifactType, annotations },
      ]);
      await temporary.store.prune();
      expect((await call('GET', `/v2/a/manifests/${digest}`)).status).toBe(200);
      const none = await call('GET', `/v2/a/referrers/${digestOf('none')}`);
      expect([none.status, ((await none.json()) as { manifests: object[] }).manifests]).toEqual([200, []]);
    });

    test('an image index is stored and served', async () => {
      const child = await pushArtifact('a', '');
      const platform = { os: 'linux', architecture: 'riscv64' };
      const manifests = [{ mediaType: MEDIA.ociManifest, digest: child, size: 1, platform }];
      const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
      const put = await call('PUT', '/v2/a/manifests/multi', {
        body,
        headers: { 'content-type': MEDIA.ociIndex },
      });
      expect(put.status).toBe(201);
      const got = await call('GET', '/v2/a/manifests/multi');
      expect([got.headers.get('content-type'), await got.text()]).toEqual([MEDIA.ociIndex, body]);
      await expect(temporary.store.get(`${server.host}/a:multi`)).rejects.toMatchObject({
        code: 'PLATFORM_MISSING',
      });
      expect(await temporary.store.list()).toEqual([]);
    });
  });

  describe('lists', () => {
    test('pages of tags, each leading to the next', async () => {
      for (const tag of ['c', 'a', 'b', 'e', 'd']) await pushArtifact('repo', tag);
      const seen: string[] = [];
      let next: string | undefined = '/v2/repo/tags/list?n=2';
      while (next !== undefined) {
        const response: Response = await call('GET', next);
        const { tags } = (await response.json()) as { tags: string[] };
        expect(tags.length).toBeLessThanOrEqual(2);
        seen.push(...tags);
        next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
      }
      expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(await (await call('GET', '/v2/repo/tags/list?n=0')).json()).toMatchObject({ tags: [] });
      expect((await call('GET', '/v2/repo/tags/list?n=x')).status).toBe(400);
      expect(await errorCode(await call('GET', '/v2/none/tags/list'))).toBe('NAME_UNKNOWN');
    });

    test('the catalogue shows what the user may pull', async () => {
      await pushArtifact('one/x', 't');
      await pushArtifact('two', '');
      await randomImage(temporary.store).then((image) =>
        temporary.store.tag('elsewhere.example/z:1', image.digest),
      );
      expect(await (await call('GET', '/v2/_catalog')).json()).toEqual({ repositories: ['one/x', 'two'] });
      allow = (repository) => repository === 'two';
      expect(await (await call('GET', '/v2/_catalog')).json()).toEqual({ repositories: ['two'] });
    });
  });

  test.each([
    ['GET', '/', 404],
    ['GET', '/v2/../../etc/passwd', 404],
    ['GET', '/v2/UPPER/tags/list', 400],
    ['GET', '/v2/a%2f..%2fb/tags/list', 400],
    ['GET', '/v2/a/blobs/sha256:short', 400],
    ['GET', '/v2/%zz/tags/list', 404],
    ['POST', '/v2/a/tags/list', 405],
    ['PATCH', '/v2/a/manifests/t', 405],
    ['GET', '/v2/a/blobs/uploads/none', 404],
    ['PUT', '/v2/a/blobs/uploads/none', 400],
    ['GET', '/v2/manifests/blobs/tags/list', 404],
  ])('%s %s: %i', async (method, path, status) => {
    const response = await call(method, path);
    expect(response.status).toBe(status);
    expect(await errorCode(response)).toMatch(/^[A-Z_]+$/);
  });
});

async function waitFor(done: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500 && !(await done()); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
