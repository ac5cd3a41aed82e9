import { run, runOrThrow } from '@updraft/kit';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryStore } from '../testing/index.ts';
import type { TemporaryStore } from '../testing/index.ts';

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
});
