import { runOrThrow } from '@updraft/kit';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { squashLayers } from './squash-layers.ts';
import { temporaryStore } from './testing/index.ts';
import type { TemporaryStore } from './testing/index.ts';
import type { Layer } from './types.ts';

const TIME = { timestampMs: Date.UTC(2024, 0, 1) };
let temporary: TemporaryStore;
let outside: string;

beforeEach(async () => {
  temporary = await temporaryStore();
  outside = await mkdtemp(path.join(tmpdir(), 'updraft-squash-'));
});
afterEach(async () => {
  await rm(outside, { recursive: true, force: true });
  await temporary.remove();
});

/** What the commands leave in an overlay over the layers (bottom first), made a layer as a build step makes one. */
async function step(below: readonly Layer[], script: string): Promise<Layer> {
  const { store } = temporary;
  const upper = path.join(await store.scratch('step'), 'upper');
  await mkdir(upper);
  await overlay(below, upper, async (root) => {
    await runOrThrow('sh', ['-ec', `cd "$1"; ${script}`, 'sh', root]);
  });
  const layer = await store.commitLayer(upper, TIME);
  if (!layer) throw new Error('the step has changed nothing');
  return layer;
}

async function overlay<T>(
  below: readonly Layer[],
  upper: string,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const { store } = temporary;
  const root = await mkdtemp(path.join(outside, 'root-'));
  const lower = [...(await store.layerFolders(below)), await store.scratch('empty')].join(':');
  const workdir = path.join(path.dirname(upper), `work-${path.basename(root)}`);
  await mkdir(workdir);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${workdir},redirect_dir=off,metacopy=off`;
  await runOrThrow('mount', ['-t', 'overlay', 'overlay', '-o', options, root]);
  try {
    return await work(root);
  } finally {
    await runOrThrow('umount', [root]);
  }
}

/** Everything that can be seen of a root: names, kinds, modes, owners, links, contents, attributes. */
async function seen(layers: readonly Layer[]): Promise<string> {
  const upper = path.join(await temporary.store.scratch('look'), 'upper');
  await mkdir(upper);
  return await overlay(layers, upper, async (root) => {
    const tar = path.join(outside, 'seen.tar');
    const args = [
      '--sort=name',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
      '--mtime=@0',
      '-C',
      root,
      '.',
    ];
    await runOrThrow('tar', [
      '-c',
      '-f',
      tar,
      '--format=posix',
      '--pax-option=delete=atime,delete=ctime',
      ...args,
    ]);
    return await runOrThrow('sh', [
      '-c',
      'tar --xattrs -tvvf "$1" --quoting-style=escape | grep -v " \\./$"; tar -xOf "$1" | sha256sum',
      'sh',
      tar,
    ]);
  });
}

const BASE = `mkdir -p etc usr/lib gone/deep kind; echo base > etc/conf; echo b > gone/deep/file; echo l > usr/lib/lib
  ln -s lib usr/link; echo under > kind/under`;

const STEPS = [
  `mkdir app; echo one > app/one; ln app/one app/hard; chmod 4755 app/one; chown 7:8 app/hard; mkfifo app/fifo
   setfattr -n user.note -v kept app/one; echo tmp > etc/passing; rm -rf gone`,
  `echo two > app/two; rm etc/passing; rm -rf kind; echo file > kind; mkdir gone; echo new > gone/new; echo more >> etc/conf`,
  `rm kind; mkdir kind; echo fresh > kind/fresh; rm -rf app/one; rm usr/link; mkdir usr/link; echo in > usr/link/in
   touch "$(printf 'caf\\351')"; rm -rf usr/lib; ln -s /etc usr/lib; truncate -s 5M holes`,
  `rm -rf gone; mkdir -p gone/deep; echo again > gone/deep/again; rm "$(printf 'caf\\351')"; touch "$(printf 'th\\351')"
   rm app/hard; mknod app/null c 1 3; rm usr/lib; mkdir usr/lib; echo back > usr/lib/back`,
];

test('one layer does on a base what many do one after the other', async () => {
  const { store } = temporary;
  const base = await step([], BASE);
  const layers: Layer[] = [];
  for (const script of STEPS) {
    layers.push(await step([base, ...layers], script));
    const squashed = await squashLayers(store, layers, { ...TIME, above: [base] });
    expect(await seen(squashed ? [base, squashed] : [])).toBe(await seen([base, ...layers]));
    expect(await squashLayers(store, layers, { ...TIME, above: [base] })).toEqual(squashed);
  }
  const files = await runOrThrow('sh', ['-c', `grep -rl passing "${store.dir}/scratch" || true`]);
  expect(files).toBe('');
});

test('what is no change stays none, and a fault leaves nothing behind', async () => {
  const { store } = temporary;
  expect(await squashLayers(store, [], { ...TIME, above: [] })).toBeUndefined();
  const base = await step([], BASE);
  expect(await squashLayers(store, [base], { ...TIME, above: [] })).toBe(base);
  const lost = await step([base], 'echo x > x');
  await writeFile(store.blobs.path(lost.diffId), 'damaged');
  await expect(squashLayers(store, [base, lost], { ...TIME, above: [] })).rejects.toMatchObject({
    code: 'DIGEST_INVALID',
  });
  expect(await runOrThrow('sh', ['-c', `find "${store.dir}/scratch" -name 'squash-*'`])).toBe('');
});
