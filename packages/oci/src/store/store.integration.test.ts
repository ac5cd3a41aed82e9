import { run, runOrThrow, silentLogger, start, systemClock } from '@updraft/kit';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomImage, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore } from '../testing/index.ts';
import { openImageStore } from './store.ts';

const TIME = Date.UTC(2024, 0, 1);

async function someFiles(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'etc'));
  await writeFile(path.join(folder, 'etc/b'), 'b');
  await writeFile(path.join(folder, 'etc/a'), 'a');
  await symlink('/etc/a', path.join(folder, 'link'));
  await runOrThrow('setfattr', ['-n', 'user.note', '-v', 'kept', path.join(folder, 'etc/a')]);
  await runOrThrow('ln', [path.join(folder, 'etc/a'), path.join(folder, 'hard')]);
}

describe('layers of a store', () => {
  let temporary: TemporaryStore;
  beforeEach(async () => {
    temporary = await temporaryStore();
  });
  afterEach(() => temporary.remove());

  async function upper(make: (folder: string) => Promise<void>): Promise<string> {
    const folder = path.join(await temporary.store.scratch('upper'), 'upper');
    await mkdir(folder);
    await make(folder);
    return folder;
  }

  test('the same content gives the same digest, whenever it was written', async () => {
    const { store } = temporary;
    const first = await store.commitLayer(await upper(someFiles), { timestampMs: TIME });
    const folder = store.layers.folderPath(first?.diffId ?? 'sha256:');
    await run('rm', ['-rf', folder]);
    const second = await store.commitLayer(await upper(someFiles), { timestampMs: TIME });
    expect(second).toEqual(first);
    const tar = await runOrThrow('tar', ['-tvf', store.blobs.path(first?.diffId ?? 'sha256:')]);
    expect(tar).not.toMatch(/2025|2026|\.\//);
    expect(
      tar
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(/\s+/)[5]),
    ).toEqual(['etc/', 'etc/a', 'etc/b', 'hard', 'link']);
  });

  test('whiteouts and opaque folders survive packing and unpacking', async () => {
    const { store } = temporary;
    const layer = await store.commitLayer(
      await upper(async (folder) => {
        await mkdir(path.join(folder, 'new'));
        await writeFile(path.join(folder, 'new/file'), 'x');
        await runOrThrow('mknod', [path.join(folder, 'gone'), 'c', '0', '0']);
        await runOrThrow('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', path.join(folder, 'new')]);
      }),
      { timestampMs: TIME },
    );
    if (!layer) throw new Error('no layer');
    const names = await runOrThrow('tar', ['-tf', store.blobs.path(layer.diffId)]);
    expect(names.trim().split('\n')).toEqual(['.wh.gone', 'new/', 'new/.wh..wh..opq', 'new/file']);
    await run('rm', ['-rf', store.layers.folderPath(layer.diffId)]);
    const [folder = ''] = await store.layerFolders([layer]);
    const gone = await lstat(path.join(folder, 'gone'));
    expect(gone.isCharacterDevice() && gone.rdev).toBe(0);
    expect(await readdir(path.join(folder, 'new'))).toEqual(['file']);
    const opaque = await runOrThrow('getfattr', [
      '-n',
      'trusted.overlay.opaque',
      '--only-values',
      path.join(folder, 'new'),
    ]);
    expect(opaque).toBe('y');
  });

  test('an empty folder is no layer', async () => {
    expect(
      await temporary.store.commitLayer(await upper(async () => undefined), { timestampMs: TIME }),
    ).toBeUndefined();
  });

  test('the committed folder becomes the unpacked one, and the blob is its tar', async () => {
    const { store } = temporary;
    const folder = await upper((made) => writeFile(path.join(made, 'file'), 'content'));
    const layer = await store.commitLayer(folder, { timestampMs: TIME });
    if (!layer) throw new Error('no layer');
    await expect(lstat(folder)).rejects.toThrow('ENOENT');
    const [unpacked = ''] = await store.layerFolders([layer]);
    expect(await readFile(path.join(unpacked, 'file'), 'utf8')).toBe('content');
    const bytes = await readFile(store.blobs.path(layer.diffId));
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(layer.diffId);
    expect(layer.size).toBe(bytes.length);
  });

  test('calls at the same time unpack a layer once', async () => {
    const { store } = temporary;
    const image = await randomImage(store, { layers: 1, files: 200 });
    const all = await Promise.all(Array.from({ length: 8 }, () => store.layerFolders(image.layers)));
    expect(new Set(all.flat()).size).toBe(1);
    expect(await readdir(path.join(temporary.dir, 'layers'))).toHaveLength(1);
    expect(await temporaryFiles()).toEqual([]);
  });

  test('a layer that is not what its diff id says is never used, and one that is takes its place', async () => {
    const { store } = temporary;
    const [real, other] = [
      await randomImage(store, { layers: 1 }),
      await randomImage(store, { layers: 1, seed: 'other' }),
    ];
    const [layer, wrong] = [real.layers[0], other.layers[0]];
    if (!layer || !wrong) throw new Error('no layers');
    const descriptor = await store.compressed(wrong);
    const right = await store.compressed(layer);
    await rm(store.blobs.path(layer.diffId));
    store.records.forgetBlob(right.digest);
    store.layers.announce(layer.diffId, descriptor);
    await expect(store.layerFolders([layer])).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await readdir(path.join(temporary.dir, 'layers'))).toEqual([]);
    store.layers.announce(layer.diffId, right);
    expect(await store.layerFolders([layer])).toHaveLength(1);
  });

  test('killed while it unpacks: the next process sees nothing half done', async () => {
    const { store, dir } = temporary;
    const image = await randomImage(store, { layers: 1, files: 800, fileBytes: 20_000 });
    await store.tag('image', image.digest);
    const script = path.join(dir, 'child.mts');
    const here = import.meta.dirname;
    await writeFile(
      script,
      `import { openImageStore } from ${JSON.stringify(path.join(here, 'store.ts'))};
       import { silentLogger, systemClock } from ${JSON.stringify(createRequire(import.meta.url).resolve('@updraft/kit'))};
       const store = await openImageStore(${JSON.stringify(dir)}, { clock: systemClock, logger: silentLogger });
       const image = await store.get('image');
       await store.layerFolders(image.layers);`,
    );
    const root = path.resolve(here, '../../../..');
    const child = await start(path.join(root, 'node_modules/.bin/tsx'), [script], { cwd: root });
    const unpacking = async () =>
      (await readdir(path.join(dir, 'tmp'), { recursive: true })).some((name) => name.endsWith('file99'));
    while (!(await unpacking())) await systemClock.sleep(5);
    child.kill('SIGKILL');
    await child.exited;
    expect(await readdir(path.join(dir, 'layers'))).toEqual([]);
    const next = await openImageStore(dir, { clock: systemClock, logger: silentLogger });
    expect(await readdir(path.join(dir, 'tmp'))).toHaveLength(1);
    const [folder = ''] = await next.layerFolders((await next.get('image'))?.layers ?? []);
    expect(await readdir(path.join(folder, 'layer0'))).toHaveLength(800);
    next.close();
  });

  async function temporaryFiles(): Promise<string[]> {
    const [own = ''] = await readdir(path.join(temporary.dir, 'tmp'));
    return await readdir(path.join(temporary.dir, 'tmp', own));
  }
});
