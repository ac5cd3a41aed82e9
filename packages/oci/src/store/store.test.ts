import { silentLogger, systemClock } from '@updraft/kit';
import { mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { MEDIA } from '../media-types.ts';
import type { Image } from '../types.ts';
import { checkStore } from '../testing/check-store.ts';
import { randomImage, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore } from '../testing/index.ts';
import { openImageStore } from './store.ts';

let temporary: TemporaryStore;
beforeEach(async () => {
  temporary = await temporaryStore();
});
afterEach(() => temporary.remove());

const HOUR_MS = 60 * 60 * 1000;

describe('blobs', () => {
  test('are verified when written', async () => {
    const { blobs } = temporary.store;
    const content = Buffer.from('content');
    expect(await blobs.write(content, digestOf(content))).toEqual({ digest: digestOf(content), size: 7 });
    await expect(blobs.write(Readable.from(['other']), digestOf('x'))).rejects.toMatchObject({
      code: 'DIGEST_INVALID',
    });
    expect(await readdir(path.join(temporary.dir, 'blobs/sha256'))).toHaveLength(1);
  });

  test('are verified when read: a damaged one fails at its end', async () => {
    const { blobs } = temporary.store;
    const { digest } = await blobs.write(Buffer.alloc(100_000, 'x'));
    await truncate(blobs.path(digest), 99_999);
    await expect(buffer(await blobs.read(digest))).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    // It is no longer counted as something we have, so that the next pull fetches it.
    expect(await blobs.size(digest)).toBeUndefined();
    await expect(blobs.read(digestOf('none'))).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  test('a source that fails leaves nothing behind', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('part');
        await Promise.resolve();
        throw new Error('broken off');
      })(),
    );
    await expect(temporary.store.blobs.write(broken)).rejects.toThrow('broken off');
    expect(await readdir(path.join(temporary.dir, 'blobs/sha256'))).toEqual([]);
    const [own = ''] = await readdir(path.join(temporary.dir, 'tmp'));
    expect(await readdir(path.join(temporary.dir, 'tmp', own))).toEqual([]);
  });

  test('a digest cannot lead out of the store', () => {
    expect(() => temporary.store.blobs.path('sha256:../../x')).toThrow('is not a digest');
  });
});

describe('names', () => {
  test('are normalised; an image is found by every form of its name', async () => {
    const { store } = temporary;
    const image = await randomImage(store);
    await store.tag('node', image.digest);
    for (const name of [
      'node',
      'node:latest',
      'docker.io/library/node',
      `other@${image.digest}`,
      image.digest,
    ]) {
      expect((await store.get(name))?.digest).toBe(image.digest);
    }
    expect(await store.get('node:20')).toBeUndefined();
    expect(await store.get(digestOf('none'))).toBeUndefined();
    const sizeBytes = image.manifest.layers.reduce(
      (sum, layer) => sum + layer.size,
      image.manifest.config.size,
    );
    const createdAt = '2024-01-02T03:04:05Z';
    expect(await store.list()).toEqual([{ name: 'node:latest', digest: image.digest, sizeBytes, createdAt }]);
  });

  test('are replaced and taken away', async () => {
    const { store } = temporary;
    const [one, two] = [await randomImage(store), await randomImage(store, { seed: 'two' })];
    await store.tag('a:1', one.digest);
    await store.tag('a:1', two.digest);
    expect((await store.get('a:1'))?.digest).toBe(two.digest);
    expect([await store.untag('a:1'), await store.untag('a:1')]).toEqual([true, false]);
    expect(await store.get('a:1')).toBeUndefined();
  });

  test('only point at what is there', async () => {
    const { store } = temporary;
    await expect(store.tag('a', digestOf('none'))).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
    const image = await randomImage(store);
    await expect(store.tag(`a@${image.digest}`, image.digest)).rejects.toMatchObject({
      code: 'REFERENCE_INVALID',
    });
  });
});

describe('images', () => {
  test('the same input gives the same digest, whatever the order of its keys', async () => {
    const { store } = temporary;
    const { layers } = await randomImage(store);
    const one = await store.putImage(
      { os: 'linux', architecture: 'amd64', config: { Env: ['A=1'], User: 'x' } },
      layers,
    );
    const two = await store.putImage(
      { architecture: 'amd64', config: { User: 'x', Env: ['A=1'] }, os: 'linux' },
      layers,
    );
    expect(two).toEqual(one);
    expect(one.config.rootfs.diff_ids).toEqual(layers.map((layer) => layer.diffId));
  });

  test('need their layers', async () => {
    const { store } = temporary;
    const missing = { diffId: digestOf('none'), size: 1 };
    const putting = store.putImage({ os: 'linux', architecture: 'amd64' }, [missing]);
    await expect(putting).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  test.each([
    ['no JSON', 'x', 'MANIFEST_INVALID'],
    [
      'an image and an index at once',
      { schemaVersion: 2, manifests: [], layers: [], config: {} },
      'MANIFEST_INVALID',
    ],
    ['Docker’s first format', { schemaVersion: 1, name: 'x' }, 'IMAGE_UNSUPPORTED'],
    [
      'no layers',
      { schemaVersion: 2, config: { mediaType: 'x', digest: digestOf('x'), size: 1 } },
      'MANIFEST_INVALID',
    ],
    ['an artifact', artifact(), 'IMAGE_UNSUPPORTED'],
  ])('%s is not one', async (_what, content, code) => {
    const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    const { digest } = await temporary.store.blobs.write(bytes);
    await expect(temporary.store.get(digest)).rejects.toMatchObject({ code });
  });

  test('a config with the wrong shapes is refused before anybody trips over it', async () => {
    const { store } = temporary;
    for (const config of [{ Env: 'A=1' }, { Cmd: [1] }, { User: 5 }, { Labels: [] }, []]) {
      const whole = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] }, config };
      const blob = await store.blobs.write(Buffer.from(JSON.stringify(whole)));
      const manifest = { schemaVersion: 2, config: { mediaType: MEDIA.ociConfig, ...blob }, layers: [] };
      const { digest } = await store.blobs.write(Buffer.from(JSON.stringify(manifest)));
      await expect(store.get(digest)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
  });
});

describe('pruning', () => {
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 2 * HOUR_MS;
    await temporary.remove();
    temporary = await temporaryStore({ clock: { ...systemClock, now: () => systemClock.now() + aheadMs } });
  });

  test('keeps what a name reaches or the caller keeps, and removes the rest', async () => {
    const { store } = temporary;
    const [named, kept, gone] = [
      await randomImage(store, { seed: 'named' }),
      await randomImage(store, { seed: 'kept' }),
      await randomImage(store, { seed: 'gone' }),
    ];
    await store.tag('named', named.digest);
    const layer = await store.blobs.write(Buffer.from('a layer for the cache'));
    const { removedBytes } = await store.prune([kept.digest, layer.digest]);
    const config = gone.manifest.config;
    const bytes = gone.layers.reduce((sum, item) => sum + item.size, config.size);
    expect(removedBytes).toBe(bytes + JSON.stringify(gone.manifest).length);
    expect([await store.get('named'), await store.get(kept.digest), await store.get(gone.digest)]).toEqual([
      named,
      kept,
      undefined,
    ]);
    expect(await store.blobs.size(layer.digest)).toBe(layer.size);
    await store.untag('named');
    await store.prune();
    expect(await readdir(path.join(temporary.dir, 'blobs/sha256'))).toEqual([]);
  });

  test('leaves alone what came in lately and was never named, and lets go of what once was', async () => {
    const { store } = temporary;
    aheadMs = 0;
    const [mine, named] = [await randomImage(store), await randomImage(store, { seed: 'named' })];
    await store.tag('named', named.digest);
    await store.untag('named');
    await store.prune();
    expect([await store.get(mine.digest), await store.get(named.digest)]).toEqual([mine, undefined]);
    aheadMs = 2 * HOUR_MS;
    await store.prune();
    expect(await store.get(mine.digest)).toBeUndefined();
  });

  test('by time and by image', async () => {
    const { store } = temporary;
    const [one, other] = [await randomImage(store), await randomImage(store, { seed: 'other' })];
    const here = async () => [await store.get(one.digest), await store.get(other.digest)];
    await store.prune([], { unusedForMs: HOUR_MS });
    expect(await here()).toEqual([one, other]);
    await store.prune([], { only: [other.digest] });
    expect(await here()).toEqual([one, undefined]);
    aheadMs += 2 * HOUR_MS;
    await store.prune([], { keepUsed: true });
    expect(await here()).toEqual([one, undefined]);
    aheadMs += 2 * HOUR_MS;
    await store.prune([], { unusedForMs: HOUR_MS });
    expect(await here()).toEqual([undefined, undefined]);
  });

  test('down to a size: what was of no use for the longest time goes first', async () => {
    const { store } = temporary;
    const images: Image[] = [];
    for (const seed of ['old', 'new']) images.push(await randomImage(store, { seed, fileBytes: 9000 }));
    aheadMs += HOUR_MS;
    await store.get(images[1]?.digest ?? '');
    expect((await store.prune([], { maxBytes: 10 ** 9 })).removedBytes).toBe(0);
    const { removedBytes } = await store.prune([], { maxBytes: 100_000 });
    expect(removedBytes).toBeGreaterThan(20_000);
    const found = await Promise.all(images.map(({ digest }) => store.get(digest)));
    expect(found).toEqual([undefined, images[1]]);
  });

  test('leaves a push alone whose manifest is on its way, for an hour', async () => {
    let now = systemClock.now();
    const other = await temporaryStore({ clock: { ...systemClock, now: () => now } });
    const { digest } = await other.store.blobs.write(Buffer.from('pushed'));
    other.store.records.addBlob('host/repository', digest, now);
    await other.store.prune();
    expect(await other.store.blobs.size(digest)).toBe(6);
    now += 2 * HOUR_MS;
    await other.store.prune();
    expect(await other.store.blobs.size(digest)).toBeUndefined();
    expect(other.store.records.hasBlob('host/repository', digest)).toBe(false);
    await other.remove();
  });
});

describe('a start', () => {
  test('sweeps what dead processes left, and nothing of the living', async () => {
    const { dir, store } = temporary;
    const mine = await store.scratch('mine');
    for (const dead of [
      'tmp/999999999-1',
      'scratch/999999999-1',
      `scratch/${process.pid}-1`,
      'tmp/garbage',
    ]) {
      await mkdir(path.join(dir, dead), { recursive: true });
      await writeFile(path.join(dir, dead, 'file'), 'x');
    }
    const second = await openImageStore(dir, { clock: systemClock, logger: silentLogger });
    second.close();
    const names = [...(await readdir(path.join(dir, 'tmp'))), ...(await readdir(path.join(dir, 'scratch')))];
    expect(new Set(names).size).toBe(1);
    expect((await stat(mine)).isDirectory()).toBe(true);
  });

  test('finds everything again', async () => {
    const { dir, store } = temporary;
    const image = await randomImage(store);
    await store.tag('a:1', image.digest);
    store.close();
    const second = await openImageStore(dir, { clock: systemClock, logger: silentLogger });
    expect(await second.get('a:1')).toEqual(image);
    second.close();
  });

  test('scratch folders are open to the users inside a container, the store is not to those outside', async () => {
    const { dir, store } = temporary;
    expect([await modeOf(await store.scratch('../x y')), await modeOf(dir)]).toEqual([0o755, 0o700]);
  });
});

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

function artifact(): object {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
  return {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config,
    layers: [{ ...config, mediaType: 'text/plain' }],
  };
}

test('another address of a registry is that registry', async () => {
  const { store } = temporary;
  const image = await randomImage(store);
  store.addAddress('127.0.0.1:5000', 'registry.example:5000');
  await store.tag('127.0.0.1:5000/a/b', image.digest);
  expect((await store.list()).map(({ name }) => name)).toEqual(['registry.example:5000/a/b:latest']);
  for (const name of ['registry.example:5000/a/b', '127.0.0.1:5000/a/b:latest'])
    expect((await store.get(name))?.digest).toBe(image.digest);
  expect(await store.get('127.0.0.1:5001/a/b')).toBeUndefined();
  expect(store.homes(image.digest, 'registry.example:5000')).toEqual(['a/b']);
  expect([await store.untag('127.0.0.1:5000/a/b'), await store.list()]).toEqual([true, []]);
});

describe('what others do while a prune runs', () => {
  const old = async () => {
    let ms = Date.UTC(2030, 0, 1);
    const clock = { ...systemClock, now: () => ms };
    const there = await temporaryStore({ clock });
    const image = await randomImage(there.store, { layers: 3 });
    await there.store.tag('a:1', image.digest);
    await there.store.untag('a:1');
    ms += 2 * HOUR_MS;
    return { ...there, image };
  };

  test('a name that it gets meanwhile keeps an image, whole', async () => {
    for (const meanwhile of ['tag', 'get', 'put'] as const) {
      const { store, image, remove } = await old();
      try {
        // The prune has already looked at the names when this goes on.
        const pruned = store.prune();
        const { rootfs: _rootfs, ...config } = image.config;
        if (meanwhile === 'put') await store.putImage(config, image.layers);
        if (meanwhile === 'get') await store.get(image.digest);
        await store.tag('b:1', image.digest);
        await pruned;
        expect(await checkStore(store)).toEqual([]);
        expect((await store.get('b:1'))?.digest).toBe(image.digest);
      } finally {
        await remove();
      }
    }
  });

  test('an image that has lost a part gets no name', async () => {
    const { store, image, remove } = await old();
    await rm(store.blobs.path(image.manifest.layers[1]?.digest ?? 'sha256:'));
    await expect(store.tag('b:1', image.digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
    expect(await store.list()).toEqual([]);
    await remove();
  });

  test('prunes at the same time, and files that vanish, are no fault', async () => {
    const { store, remove } = await old();
    const pruned = await Promise.all([store.prune(), store.prune(), store.prune([], { maxBytes: 0 })]);
    expect(pruned.map(({ removedBytes }) => removedBytes > 0)).toEqual([true, false, false]);
    expect(await checkStore(store)).toEqual([]);
    await remove();
  });
});
