import { codeOf, runOrThrow } from '@updraft/kit';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hexOf } from '../digest.ts';
import { push } from '../remote/push.ts';
import { TEST_CREDENTIALS, makeTar, randomImage, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore } from '../testing/index.ts';
import type { Image } from '../types.ts';
import { exportArchive } from './export-archive.ts';
import { exportOciLayout } from './export-layout.ts';
import { importArchive } from './import-archive.ts';
import { importOciLayout } from './import-layout.ts';

let source: TemporaryStore;
let target: TemporaryStore;
let folder: string;
let image: Image;

beforeEach(async () => {
  source = await temporaryStore();
  target = await temporaryStore();
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-layout-'));
  image = await randomImage(source.store);
});
afterEach(async () => {
  await source.remove();
  await target.remove();
  await rm(folder, { recursive: true, force: true });
});

async function skopeo(...args: string[]): Promise<string> {
  return await runOrThrow('skopeo', ['--insecure-policy', ...args]);
}

describe('a layout', () => {
  test('is read by skopeo and umoci, and comes back as it went', async () => {
    const layout = path.join(folder, 'layout');
    await exportOciLayout(source.store, image, layout, 'v1');
    const inspected = JSON.parse(await skopeo('inspect', `oci:${layout}:v1`)) as { Digest: string };
    expect(inspected.Digest).toBe(image.digest);
    expect(await runOrThrow('umoci', ['list', '--layout', layout])).toBe('v1\n');
    await runOrThrow('umoci', ['unpack', '--image', `${layout}:v1`, path.join(folder, 'bundle')]);
    expect(await readFile(path.join(folder, 'bundle/rootfs/layer1/file2'))).toHaveLength(100);
    expect(await importOciLayout(target.store, layout, 'v1')).toEqual(image);
  });

  test('takes several images; a tag is replaced, and an unclear choice is a fault', async () => {
    const other = await randomImage(source.store, { seed: 'other' });
    await exportOciLayout(source.store, image, folder, 'v1');
    await exportOciLayout(source.store, other, folder, 'v2');
    await exportOciLayout(source.store, other, folder, 'v1');
    expect(await importOciLayout(target.store, folder, 'v1')).toEqual(other);
    const fault = { code: 'IMAGE_NOT_FOUND', next: expect.stringContaining('v2, v1') };
    await expect(importOciLayout(target.store, folder)).rejects.toMatchObject(fault);
    await expect(importOciLayout(target.store, folder, 'v3')).rejects.toMatchObject(fault);
  });

  test('made by skopeo, compressed, can be imported', async () => {
    await exportOciLayout(source.store, image, path.join(folder, 'ours'), 'v1');
    await skopeo('copy', '--dest-compress', `oci:${folder}/ours:v1`, `oci:${folder}/theirs:v1`);
    const imported = await importOciLayout(target.store, path.join(folder, 'theirs'));
    expect(imported.layers).toMatchObject(image.layers);
    expect(imported.config).toEqual(image.config);
  });

  test('with wrong or dangerous content is refused', async () => {
    await exportOciLayout(source.store, image, folder, 'v1');
    const layer = path.join(folder, 'blobs/sha256', hexOf(image.manifest.layers[0]?.digest ?? 'sha256:'));
    await writeFile(layer, 'other');
    await expect(importOciLayout(target.store, folder)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await rm(layer);
    await runOrThrow('mkfifo', [layer]);
    await expect(importOciLayout(target.store, folder)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  test('is not written through links that somebody has laid out', async () => {
    const victim = path.join(folder, 'victim');
    await mkdir(victim);
    await writeFile(path.join(victim, 'file'), 'untouched');
    const layout = path.join(folder, 'layout');
    await mkdir(layout);
    await symlink(victim, path.join(layout, 'blobs'));
    await expect(exportOciLayout(source.store, image, layout)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    });
    await rm(path.join(layout, 'blobs'));
    await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
    await symlink(path.join(victim, 'file'), path.join(layout, 'blobs/sha256', hexOf(image.digest)));
    await exportOciLayout(source.store, image, layout);
    expect(await readFile(path.join(victim, 'file'), 'utf8')).toBe('untouched');
  });
});

describe('an archive', () => {
  test.each(['docker', 'oci'] as const)('%s: read by skopeo, and comes back as it went', async (format) => {
    const file = path.join(folder, 'image.tar');
    await exportArchive(source.store, image, file, { format, names: ['example.com/app:v1'] });
    const inspected = JSON.parse(await skopeo('inspect', `${format}-archive:${file}`)) as {
      Layers: string[];
    };
    expect(inspected.Layers).toEqual(image.layers.map((layer) => layer.diffId));
    const imported = await importArchive(target.store, file);
    expect(imported).toEqual([{ image, names: ['example.com/app:v1'] }]);
  });

  test.each(['docker', 'oci'] as const)('%s: made by skopeo and compressed', async (format) => {
    await exportOciLayout(source.store, image, path.join(folder, 'ours'), 'v1');
    const file = path.join(folder, 'image.tar');
    await skopeo('copy', `oci:${folder}/ours:v1`, `${format}-archive:${file}:example.com/app:v1`);
    await runOrThrow('gzip', [file]);
    const [imported] = await importArchive(target.store, `${file}.gz`);
    expect(imported?.image.layers).toMatchObject(image.layers);
    expect(imported?.names).toEqual(['example.com/app:v1']);
  });

  test.each([
    ['nothing known', [{ path: 'file' }], 'ARCHIVE_INVALID'],
    ['no list', [{ path: 'manifest.json', content: '{}' }], 'ARCHIVE_INVALID'],
    [
      'a config outside',
      [{ path: 'manifest.json', content: '[{"Config":"../../etc/passwd","Layers":[]}]' }],
      'ARCHIVE_INVALID',
    ],
    [
      'a link outside',
      [
        { path: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' },
        { path: 'c', type: 'symlink' as const, linkPath: '/etc/passwd' },
      ],
      'ARCHIVE_INVALID',
    ],
  ])('with %s is refused', async (_what, members, code) => {
    const file = path.join(folder, 'bad.tar');
    await writeFile(file, makeTar(members));
    await expect(importArchive(target.store, file)).rejects.toMatchObject({ code });
  });
});

test('what was damaged on the disk does not get out, and leaves no half of a file', async () => {
  const server = await serveRegistry(target.store);
  const ways: Readonly<Record<string, (image: Image, out: string) => Promise<unknown>>> = {
    layout: (made, out) => exportOciLayout(source.store, made, out),
    docker: (made, out) => exportArchive(source.store, made, path.join(out, 'd.tar'), { format: 'docker' }),
    oci: (made, out) => exportArchive(source.store, made, path.join(out, 'o.tar'), { format: 'oci' }),
    push: (made) =>
      push(source.store, made, `${server.host}/a:t`, { insecure: true, credentials: TEST_CREDENTIALS }),
  };
  try {
    for (const [name, way] of Object.entries(ways)) {
      const made = await randomImage(source.store, { seed: name, layers: 1, fileBytes: 300_000 });
      const file = source.store.blobs.path(made.layers[0]?.diffId ?? 'sha256:');
      const bytes = await readFile(file);
      bytes[bytes.length - 5000] = (bytes[bytes.length - 5000] ?? 0) ^ 1;
      await writeFile(file, bytes);
      const out = path.join(folder, name);
      await mkdir(out);
      expect([name, await way(made, out).catch((error: unknown) => codeOf(error))]).toEqual([
        name,
        'DIGEST_INVALID',
      ]);
      const left = await readdir(out, { recursive: true });
      expect(left.filter((each) => /\.t(ar|mp)$|[0-9a-f]{64}/.test(each))).toEqual([]);
    }
  } finally {
    await server.close();
  }
});
