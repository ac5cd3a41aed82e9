import { lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { TarReader } from './tar/reader.ts';
import { partsOf } from './tar/paths.ts';
import { whiteoutOf } from './tar/to-overlay.ts';
import { unpackLayer } from './tar/unpack.ts';
import { makeWhiteouts, statusBelow } from './tar/whiteouts.ts';
import type { ImageStore, Layer } from './types.ts';

export interface SquashOptions {
  readonly timestampMs: number;
  /** The layers that lie below, bottom first. */
  readonly above: readonly Layer[];
}

/**
 * One layer that does what these (bottom first, all made here) do one after the other; undefined when there are none.
 * The same layers give the same digest.
 * @throws OciFault BLOB_UNKNOWN, DIGEST_INVALID; Fault DISK_FULL
 */
export async function squashLayers(
  store: ImageStore,
  layers: readonly Layer[],
  { timestampMs, above }: SquashOptions,
): Promise<Layer | undefined> {
  const [only] = layers;
  if (layers.length < 2) return only;
  const scratch = await store.scratch('squash');
  try {
    const merge: Merge = { folder: path.join(scratch, 'upper'), hidden: new Set(), opaque: new Set() };
    await mkdir(merge.folder);
    for (const layer of layers) await addLayer(store, layer, merge);
    await removeNeedless(merge, await store.layerFolders(above));
    return await store.commitLayer(merge.folder, { timestampMs });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The upper folder of an overlay in the making. Paths are byte strings. */
interface Merge {
  readonly folder: string;
  /** Where there are, or were, whiteouts. */
  readonly hidden: Set<string>;
  /** Folders below which nothing of lower layers shows. */
  readonly opaque: Set<string>;
}

/** Afterwards the folder is what it would be if the layer's changes were made in it. */
async function addLayer(store: ImageStore, layer: Layer, merge: Merge): Promise<void> {
  const opaque: string[] = [];
  for (const member of await membersOf(store, layer)) {
    if (member.kind === 'hidden') merge.hidden.add(member.parts.join('/'));
    if (member.kind === 'emptied') merge.opaque.add(member.parts.join('/'));
    opaque.push(...(await makeRoom(merge.folder, member)));
  }
  await unpackLayer(await store.layerTar(layer), merge.folder);
  await makeWhiteouts(merge.folder, { whiteouts: [], opaque });
  for (const each of opaque) merge.opaque.add(each);
}

/**
 * Takes away the whiteouts of what only the squashed layers had. Where a folder is in no lower layer, or hides it, overlayfs
 * would list them as if they were files.
 */
async function removeNeedless({ folder, hidden, opaque }: Merge, lower: readonly string[]): Promise<void> {
  for (const name of hidden) {
    const parts = name.split('/');
    const there = await statusBelow(folder, name);
    if (!there?.isCharacterDevice() || there.rdev !== 0) continue;
    const isBelowOpaque = parts.some((_, depth) => opaque.has(parts.slice(0, depth).join('/')));
    if (!isBelowOpaque && (await isInAny(lower, name))) continue;
    const parent = pathTo(folder, parts.slice(0, -1));
    const { atime, mtime } = await lstat(parent);
    await rm(pathTo(folder, parts));
    await utimes(parent, atime, mtime);
  }
}

async function isInAny(folders: readonly string[], name: string): Promise<boolean> {
  for (const folder of folders) if (await statusBelow(folder, name)) return true;
  return false;
}

interface Member {
  readonly parts: readonly string[];
  readonly kind: 'folder' | 'leaf' | 'hidden' | 'emptied';
}

async function membersOf(store: ImageStore, layer: Layer): Promise<readonly Member[]> {
  const members: Member[] = [];
  const reader = new TarReader({
    entry: (entry) => {
      const parts = partsOf(entry.path);
      const mark = whiteoutOf(parts.at(-1) ?? '');
      const folder = parts.slice(0, -1);
      if (mark?.kind === 'hidden') members.push({ parts: [...folder, mark.name], kind: 'hidden' });
      else if (mark?.kind === 'opaque') members.push({ parts: folder, kind: 'emptied' });
      else members.push({ parts, kind: entry.type === 'folder' ? 'folder' : 'leaf' });
    },
    body: () => undefined,
    finish: () => undefined,
  });
  for await (const chunk of await store.layerTar(layer)) reader.push(chunk as Buffer);
  reader.end();
  return members;
}

/**
 * Takes away what stands where the member is to be. Gives the folders that take a place that was none: what lies below
 * such a place in the image has to stay hidden.
 */
async function makeRoom(merged: string, { parts, kind }: Member): Promise<string[]> {
  const opaque: string[] = [];
  const folders = kind === 'folder' || kind === 'emptied' ? parts.length : parts.length - 1;
  for (let depth = 1; depth <= folders; depth += 1) {
    const there = await statusBelow(merged, parts.slice(0, depth).join('/'));
    // What is not there is not there below either.
    if (there === undefined) return opaque;
    if (there.isDirectory()) continue;
    await rm(pathTo(merged, parts.slice(0, depth)));
    opaque.push(parts.slice(0, depth).join('/'));
    return opaque;
  }
  const file = pathTo(merged, parts);
  if (kind === 'emptied')
    for (const name of await readdir(file, { encoding: 'buffer' }))
      await remove(Buffer.concat([file, Buffer.from('/'), name]));
  if (kind === 'leaf' || kind === 'hidden') await remove(file);
  return opaque;
}

const remove = (file: Buffer): Promise<void> => rm(file, { recursive: true, force: true });

/** Names are bytes. */
const pathTo = (folder: string, parts: readonly string[]): Buffer =>
  Buffer.concat([Buffer.from(folder), ...parts.map((part) => Buffer.from(`/${part}`, 'latin1'))]);
