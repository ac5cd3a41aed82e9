import { runOrThrow } from '@updraft/kit';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Image } from '../types.ts';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';

const CREDENTIALS = `${TEST_CREDENTIALS.username}:${TEST_CREDENTIALS.password}`;

async function skopeo(...args: string[]): Promise<string> {
  return await runOrThrow('skopeo', ['--insecure-policy', ...args]);
}

describe('skopeo and the registry', () => {
  let temporary: TemporaryStore;
  let server: TestServer;
  let folder: string;
  let image: Image;
  let repository: string;

  beforeEach(async () => {
    temporary = await temporaryStore();
    server = await serveRegistry(temporary.store);
    folder = await mkdtemp(path.join(tmpdir(), 'updraft-skopeo-'));
    image = await randomImage(temporary.store, { files: 20, fileBytes: 10_000 });
    await temporary.store.tag(`${server.host}/group/app:v1`, image.digest);
    repository = `docker://${server.host}/group/app`;
  });
  afterEach(async () => {
    await server.close();
    await temporary.remove();
    await rm(folder, { recursive: true });
  });

  const source = ['--src-tls-verify=false', '--src-creds', CREDENTIALS];
  const target = ['--dest-tls-verify=false', '--dest-creds', CREDENTIALS];
  const plain = ['--tls-verify=false', '--creds', CREDENTIALS];

  test('pulls, inspects, lists and deletes', async () => {
    await skopeo('copy', ...source, `${repository}:v1`, `oci:${folder}/layout:v1`);
    const index = JSON.parse(await readFile(`${folder}/layout/index.json`, 'utf8')) as {
      manifests: { digest: string }[];
    };
    expect(index.manifests).toHaveLength(1);
    const inspected = JSON.parse(await skopeo('inspect', ...plain, `${repository}:v1`)) as {
      Digest: string;
      Layers: string[];
    };
    expect(inspected.Digest).toBe(image.digest);
    expect(inspected.Layers).toEqual(image.manifest.layers.map((layer) => layer.digest));
    expect(await skopeo('list-tags', ...plain, repository)).toContain('"v1"');
    await skopeo('delete', ...plain, `${repository}:v1`);
    await expect(skopeo('inspect', ...plain, `${repository}:v1`)).rejects.toThrow('manifest unknown');
  });

  // The target is another registry: within one, skopeo mounts the uncompressed blobs it has seen there.
  test.each([
    ['oci', 'gzip'],
    ['v2s2', 'gzip'],
    ['oci', 'zstd'],
  ])(
    'pushes compressed layers (%s, %s) that can be run from and pulled again',
    async (format, compression) => {
      const compress = ['--dest-compress', '--dest-compress-format', compression, '--format', format];
      await skopeo('copy', ...compress, ...source, `${repository}:v1`, `dir:${folder}/dir`);
      const fresh = await temporaryStore();
      const registry = await serveRegistry(fresh.store);
      try {
        await skopeo('copy', ...target, `dir:${folder}/dir`, `docker://${registry.host}/pushed:v1`);
        const pushed = await fresh.store.get(`${registry.host}/pushed:v1`);
        expect(pushed?.manifest.layers[0]?.mediaType).toContain(compression);
        expect(pushed?.layers).toMatchObject(image.layers);
        const folders = await fresh.store.layerFolders(pushed?.layers ?? []);
        expect((await readFile(`${folders[1]}/layer0/file0`)).length).toBe(10_000);
        await skopeo('copy', ...source, `docker://${registry.host}/pushed:v1`, `oci:${folder}/back:v1`);
      } finally {
        await registry.close();
        await fresh.remove();
      }
    },
  );

  test('is told that a wrong password is wrong', async () => {
    const wrong = ['--tls-verify=false', '--creds', 'user:wrong'];
    await expect(skopeo('inspect', ...wrong, `${repository}:v1`)).rejects.toThrow(
      /invalid username\/password|unauthorized/i,
    );
  });
});
