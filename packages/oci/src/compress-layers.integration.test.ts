import { runOrThrow } from '@updraft/kit';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compressLayers } from './compress-layers.ts';
import { exportArchive } from './layout/export-archive.ts';
import { importArchive } from './layout/import-archive.ts';
import { TEST_CREDENTIALS, serveRegistry, temporaryStore } from './testing/index.ts';
import type { TemporaryStore, TestServer } from './testing/index.ts';
import { pull } from './remote/pull.ts';
import { push } from './remote/push.ts';
import type { Image, Layer, LayerForm } from './types.ts';

const CONFIG = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
const OPTIONS = { insecure: true, credentials: TEST_CREDENTIALS };
let here: TemporaryStore;
let there: TemporaryStore;
let server: TestServer;

beforeEach(async () => {
  here = await temporaryStore();
  there = await temporaryStore();
  server = await serveRegistry(there.store);
});
afterEach(async () => {
  await server.close();
  await here.remove();
  await there.remove();
});

async function layerOf({ store }: TemporaryStore, name: string): Promise<Layer> {
  const folder = await store.scratch('layer');
  await writeFile(path.join(folder, name), `${name}\n`.repeat(10_000));
  const layer = await store.commitLayer(folder, { timestampMs: 0 });
  if (!layer) throw new Error('an empty layer');
  return layer;
}

const typesOf = ({ manifest }: Image) => manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1));

const content = async (
  { store }: TemporaryStore,
  { digest, mediaType }: { digest: string; mediaType: string },
) =>
  await runOrThrow(mediaType.endsWith('zstd') ? 'zstdcat' : 'zcat', [store.blobs.path(digest as 'sha256:')], {
    maxOutputBytes: 1e7,
  });

test.each<LayerForm>([
  { kind: 'gzip' },
  { kind: 'gzip', level: 1 },
  { kind: 'zstd' },
  { kind: 'zstd', level: 22 },
])('compresses with %o, what is not compressed yet', async (form) => {
  const { store } = here;
  const base = await store.putImage(CONFIG, [await layerOf(here, 'base')]);
  const below = await compressLayers(store, base, { kind: 'gzip', level: 9 });
  const image = await store.putImage(CONFIG, [...below.layers, await layerOf(here, 'own')]);
  expect(typesOf(image)).toEqual(['tar+gzip', 'tar']);
  const compressed = await compressLayers(store, image, form);
  expect(typesOf(compressed)).toEqual(['tar+gzip', `tar+${form.kind}`]);
  expect(compressed.config).toEqual(image.config);
  expect(compressed.manifest.layers[0]).toEqual(below.manifest.layers[0]);
  const [, own] = compressed.manifest.layers;
  expect(own && (await content(here, own))).toContain('own\nown\n');
  expect((await compressLayers(store, image, form)).digest).toBe(compressed.digest);
  const archive = path.join(here.dir, 'image.tar');
  await exportArchive(store, compressed, archive, { format: 'docker', compressed: true });
  const names = await runOrThrow('tar', ['-tf', archive]);
  expect(names).toContain(`${own?.digest.slice(7)}.tar.${form.kind === 'gzip' ? 'gz' : 'zst'}`);
  const [loaded] = await importArchive(there.store, archive);
  expect(loaded?.image.config).toEqual(image.config);
  // A registry, and a second machine, take it as it is.
  expect((await push(store, compressed, `${server.host}/a/b:t`, OPTIONS)).digest).toBe(compressed.digest);
  const second = await temporaryStore();
  try {
    const pulled = await pull(second.store, `${server.host}/a/b:t`, OPTIONS);
    expect(pulled.config).toEqual(image.config);
  } finally {
    await second.remove();
  }
});

test('what a manifest claims about a layer is believed when it is true', async () => {
  const { store } = here;
  const layer = await layerOf(here, 'own');
  const other = await layerOf(here, 'other');
  const wrong = await store.compressed(other, { kind: 'gzip', level: 3 });
  const claimed = { diffId: layer.diffId, size: layer.size, received: wrong };
  store.layers.announce(layer.diffId, wrong);
  expect(typesOf(await store.putImage(CONFIG, [claimed]))).toEqual(['tar']);
});

test('a level that does not exist is one clear error', async () => {
  const { store } = here;
  const image = await store.putImage(CONFIG, [await layerOf(here, 'own')]);
  for (const form of [
    { kind: 'gzip', level: 10 },
    { kind: 'zstd', level: 23 },
    { kind: 'zstd', level: 0 },
    { kind: 'gzip', level: 1.5 },
  ] as const)
    await expect(compressLayers(store, image, form)).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
});

test('what was pushed, pulled or compressed before does not change what the same layers give', async () => {
  const { store } = here;
  const layer = await layerOf(here, 'own');
  const image = await store.putImage(CONFIG, [layer]);
  const { digest } = await push(store, image, `${server.host}/a/b:t`, OPTIONS);
  await compressLayers(store, image, { kind: 'gzip', level: 9 });
  await compressLayers(store, image, { kind: 'zstd' });
  const pulled = await pull(store, `${server.host}/a/b:t`, OPTIONS);
  expect(pulled.digest).toBe(digest);
  expect((await store.putImage(CONFIG, [layer])).digest).toBe(image.digest);
  expect((await push(store, image, `${server.host}/a/b:u`, OPTIONS)).digest).toBe(digest);
  // On top of what was pulled its form is kept: nothing is compressed a second time.
  const onTop = await store.putImage(CONFIG, [...pulled.layers, await layerOf(here, 'top')]);
  expect(onTop.manifest.layers[0]).toEqual(pulled.manifest.layers[0]);
  // When that form is gone, the layer is named as it is here.
  await rm(store.blobs.path(pulled.manifest.layers[0]?.digest ?? 'sha256:'));
  expect(typesOf(await store.putImage(CONFIG, pulled.layers))).toEqual(['tar']);
});
