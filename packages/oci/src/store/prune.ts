import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';
import { isDigest } from '../digest.ts';
import { OciFault } from '../faults.ts';
import type { ParsedManifest } from '../manifest.ts';
import type { DiffId, Digest } from '../types.ts';
import type { StoreFolders } from './folders.ts';
import { shortName } from './layers.ts';
import type { LocalImageStore } from './store.ts';

/** Blobs that came in through the registry may belong to a push whose manifest is still on its way. */
const PUSH_TIME_MS = 60 * 60 * 1000;

interface Parts {
  readonly folders: StoreFolders;
  readonly store: LocalImageStore;
}

interface Reached {
  readonly blobs: Set<Digest>;
  /** Short names of the folders of layers. */
  readonly folders: Set<string>;
}

/** See ImageStore.prune. Names, manifests that refer to something kept, and running pushes hold their content. */
export async function prune(
  { folders, store }: Parts,
  keep: readonly Digest[],
): Promise<{ removedBytes: number }> {
  const reached: Reached = { blobs: new Set(), folders: new Set() };
  for (const digest of keep) keepLayer(store, digest, reached);
  const names = store.records.names().map((name) => name.digest);
  await reach(store, [...names, ...keep], reached);
  for (const digest of store.records.blobsAddedSince(store.clock.now() - PUSH_TIME_MS))
    reached.blobs.add(digest);
  const removedBytes =
    (await removeFolders(folders, reached)) + (await removeBlobs({ folders, store }, reached));
  return { removedBytes };
}

/** What is kept may be a layer: then in all its forms. */
function keepLayer(store: LocalImageStore, diffId: DiffId, reached: Reached): void {
  reached.blobs.add(diffId);
  reached.folders.add(shortName(diffId));
  for (const source of store.records.sources(diffId)) reached.blobs.add(source.blob);
}

async function reach(store: LocalImageStore, roots: readonly Digest[], reached: Reached): Promise<void> {
  const seen = new Set<Digest>();
  const pending = [...roots];
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    reached.blobs.add(digest);
    const parsed = await manifestAt(store, digest);
    if (!parsed) continue;
    for (const blob of parsed.links.blobs) reached.blobs.add(blob);
    pending.push(...parsed.links.manifests, ...store.records.referrers(digest).map((found) => found.digest));
    if (parsed.kind === 'image') await reachLayers(store, digest, reached);
  }
}

async function reachLayers(store: LocalImageStore, digest: Digest, reached: Reached): Promise<void> {
  const image = await ignoringFaults(() => store.images.find(digest));
  for (const diffId of image?.config.rootfs.diff_ids ?? []) reached.folders.add(shortName(diffId));
}

async function manifestAt(store: LocalImageStore, digest: Digest): Promise<ParsedManifest | undefined> {
  return await ignoringFaults(() => store.images.manifest(digest));
}

/** A blob that is no manifest, or a broken one, simply leads nowhere. */
async function ignoringFaults<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OciFault) return undefined;
    throw error;
  }
}

async function removeFolders(folders: StoreFolders, reached: Reached): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folders.layers)) {
    if (reached.folders.has(name)) continue;
    // Out of the way at once, so that nobody meets it half removed.
    const grave = await mkdtemp(path.join(folders.tmp, 'pruned-'));
    const moved = path.join(grave, name);
    await rename(path.join(folders.layers, name), moved);
    bytes += await bytesIn(moved);
    await rm(grave, { recursive: true, force: true });
  }
  return bytes;
}

async function removeBlobs({ folders, store }: Parts, reached: Reached): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folders.blobs)) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest) || reached.blobs.has(digest)) continue;
    bytes += (await store.blobs.size(digest)) ?? 0;
    await store.blobs.remove(digest);
    store.records.forgetBlob(digest);
  }
  return bytes;
}

/** What a folder takes on the disk. */
async function bytesIn(folder: string): Promise<number> {
  const text = await runOrThrow('du', ['-s', '--block-size=1', folder]);
  return Number.parseInt(text, 10);
}
