import { renameSync, statSync, unlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, run } from '@updraft/kit';
import { ALGORITHMS, isDigest, isSha256 } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { parseConfig, parseManifest } from '../manifest.ts';
import type { ParsedManifest } from '../manifest.ts';
import type { Digest, PruneOptions } from '../types.ts';
import type { StoreFolders } from './folders.ts';
import { shortName } from './layers.ts';
import type { LocalImageStore } from './store.ts';

/** What came in this lately and has no name yet may belong to a push, a pull or a build that is still on its way. */
const ARRIVAL_MS = 60 * 60 * 1000;

interface Parts {
  readonly folders: StoreFolders;
  readonly store: LocalImageStore;
}

interface Reached {
  readonly blobs: Set<Digest>;
  /** Short names of the folders of layers. */
  readonly folders: Set<string>;
}

/** Something in the store that could go: a blob's file or a layer's folder. */
interface Item {
  readonly file: string;
  /** Of a blob; undefined for a folder. */
  readonly digest: Digest | undefined;
  readonly usedMs: number;
  readonly arrivedMs: number;
}

const nothing = (): Reached => ({ blobs: new Set(), folders: new Set() });

/** See ImageStore.prune. Names, manifests that refer to something kept, and what is on its way hold their content. */
export async function prune(
  parts: Parts,
  keep: readonly Digest[],
  options: PruneOptions = {},
): Promise<{ removedBytes: number }> {
  const { touches } = parts.store.blobs;
  if (options.keepUsed !== true) touches.forget();
  // From here on everything that is touched stays, so that no name can come to lead to something that goes.
  return await touches.watch(async (touched) => ({
    removedBytes: await pruneBut(parts, keep, { ...options, touched }),
  }));
}

interface Pruning extends PruneOptions {
  readonly touched: ReadonlySet<string>;
}

async function pruneBut(parts: Parts, keep: readonly Digest[], options: Pruning): Promise<number> {
  const { store } = parts;
  const kept = nothing();
  const lately = options.keepUsed ? store.blobs.touches.lately() : new Set<string>();
  const roots = [...store.records.names().map((name) => name.digest), ...keep];
  for (const digest of [...keep, ...(options.keepUsed ? store.layers.usedHere() : [])])
    keepLayer(store, digest, kept);
  reach(store, roots, kept);
  for (const digest of store.records.blobsAddedSince(store.clock.now() - ARRIVAL_MS)) kept.blobs.add(digest);
  const items = await itemsOf(parts);
  keepArrivals(parts, items, kept);
  const only = options.only === undefined ? undefined : nothing();
  if (only) reach(store, options.only ?? [], only);
  const candidates = items
    .filter((item) => !isIn(item, kept) && (only === undefined || isIn(item, only)))
    .filter((item) => !lately.has(nameOf(item)))
    .filter(({ usedMs }) => usedMs <= store.clock.now() - (options.unusedForMs ?? 0))
    .toSorted((a, b) => a.usedMs - b.usedMs);
  return await removeAll(parts, candidates, {
    excess: await excessOf(parts, options),
    touched: options.touched,
  });
}

/** As it is touched: see Touches. */
function nameOf({ digest, file }: Item): string {
  return digest ?? path.basename(file);
}

function isIn({ digest, file }: Item, reached: Reached): boolean {
  return digest === undefined ? reached.folders.has(path.basename(file)) : reached.blobs.has(digest);
}

/** What is kept may be a layer: then in all its forms. */
function keepLayer(store: LocalImageStore, digest: Digest, reached: Reached): void {
  reached.blobs.add(digest);
  if (!isSha256(digest)) return;
  reached.folders.add(shortName(digest));
  for (const source of store.records.sources(digest)) reached.blobs.add(source.blob);
}

function reach(store: LocalImageStore, roots: readonly Digest[], reached: Reached): void {
  const seen = new Set<Digest>();
  const pending = [...roots];
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    reached.blobs.add(digest);
    const parsed = manifestAt(store, digest);
    if (!parsed) continue;
    for (const blob of [...parsed.links.blobs, ...parsed.links.foreign]) reached.blobs.add(blob);
    pending.push(...parsed.links.manifests, ...store.records.referrers(digest).map((found) => found.digest));
    if (parsed.kind === 'image') reachLayers(store, parsed.manifest.config.digest, reached);
  }
}

function reachLayers(store: LocalImageStore, digest: Digest, reached: Reached): void {
  const bytes = store.blobs.peek(digest);
  const config = bytes && ignoringFaults(() => parseConfig(bytes));
  for (const diffId of config?.rootfs.diff_ids ?? []) reached.folders.add(shortName(diffId));
}

function manifestAt(store: LocalImageStore, digest: Digest): ParsedManifest | undefined {
  const bytes = store.blobs.peek(digest);
  return bytes && ignoringFaults(() => parseManifest(bytes));
}

/** A blob that is no manifest, or a broken one, simply leads nowhere. */
function ignoringFaults<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OciFault) return undefined;
    throw error;
  }
}

/** Everything in the store with the time it was last of use. */
async function itemsOf({ folders, store }: Parts): Promise<readonly Item[]> {
  const used = usesOf(store);
  const items: Item[] = [];
  const add = async (file: string, digest: Digest | undefined, name: string) => {
    const arrivedMs = await arrivalOf(file);
    if (arrivedMs === undefined) return;
    const usedMs = Math.max(arrivedMs, used.get(name) ?? 0);
    items.push({ file, digest, arrivedMs, usedMs });
  };
  for (const algorithm of ALGORITHMS) {
    for (const name of await readdir(path.join(folders.blobs, algorithm))) {
      const digest = `${algorithm}:${name}`;
      if (isDigest(digest)) await add(path.join(folders.blobs, algorithm, name), digest, digest);
    }
  }
  for (const name of await readdir(folders.layers))
    await add(path.join(folders.layers, name), undefined, name);
  return items;
}

/** A layer's last use counts for all its forms: by the digests of its blobs and the name of its folder. */
function usesOf(store: LocalImageStore): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const [digest, ms] of store.records.uses()) {
    for (const name of formsOf(store, digest)) used.set(name, Math.max(ms, used.get(name) ?? 0));
  }
  return used;
}

function formsOf(store: LocalImageStore, digest: Digest): readonly string[] {
  if (!isSha256(digest)) return [digest];
  return [digest, shortName(digest), ...store.records.sources(digest).map((source) => source.blob)];
}

async function arrivalOf(file: string): Promise<number | undefined> {
  try {
    // The one time that unpacking does not set to what an archive says.
    return (await stat(file)).ctimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function keepArrivals({ store }: Parts, items: readonly Item[], kept: Reached): void {
  const since = store.clock.now() - ARRIVAL_MS;
  const known = new Set<string>();
  for (const digest of store.records.everLinked()) {
    known.add(digest);
    if (isSha256(digest)) known.add(shortName(digest));
    for (const diffId of store.records.layersIn(digest)) known.add(shortName(diffId));
  }
  for (const { file, digest, arrivedMs } of items) {
    const name = digest ?? path.basename(file);
    if (arrivedMs < since || known.has(name)) continue;
    if (digest === undefined) kept.folders.add(name);
    else keepLayer(store, digest, kept);
  }
}

/** How many bytes are over the limit; without a limit all that can go does. */
async function excessOf({ folders }: Parts, { maxBytes }: PruneOptions): Promise<number> {
  if (maxBytes === undefined) return Infinity;
  return (await bytesIn(folders.blobs)) + (await bytesIn(folders.layers)) - maxBytes;
}

interface Removal {
  /** Bytes that are to go, at least. */
  readonly excess: number;
  readonly touched: ReadonlySet<string>;
}

async function removeAll(
  parts: Parts,
  items: readonly Item[],
  { excess, touched }: Removal,
): Promise<number> {
  let removed = 0;
  let freed = 0;
  const gone = new Set<string>();
  const remove = async (item: Item) => {
    const found = await removeItem(parts, item, touched);
    if (found === undefined) return;
    removed += found[0];
    freed += found[1];
    gone.add(nameOf(item));
  };
  let next = 0;
  for (let item = items[next]; item && freed < excess; item = items[next]) {
    await remove(item);
    next += 1;
  }
  // An image that has lost a part is none.
  for (const item of items.slice(next)) if (isBroken(parts, item, gone)) await remove(item);
  return removed;
}

function isBroken({ store }: Parts, { digest }: Item, gone: ReadonlySet<string>): boolean {
  const parsed = digest && manifestAt(store, digest);
  return parsed !== undefined && parsed.links.blobs.some((blob) => gone.has(blob));
}

/** What went, in bytes of content and in bytes of the disk; for a folder only the second is to be had. */
type Removed = readonly [number, number];

/** undefined when it is gone already, or was touched. Between that question and the removal nothing else can happen. */
async function removeItem(
  parts: Parts,
  { file, digest }: Item,
  touched: ReadonlySet<string>,
): Promise<Removed | undefined> {
  if (digest === undefined) return await removeFolder(parts, file, touched);
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined || touched.has(digest)) return undefined;
  unlinkSync(file);
  parts.store.records.forgetBlob(digest);
  // The content stays as long as it has its other name.
  return status.nlink > 1 ? [0, 0] : [status.size, status.blocks * 512];
}

async function removeFolder(
  { folders }: Parts,
  folder: string,
  touched: ReadonlySet<string>,
): Promise<Removed | undefined> {
  // Out of the way at once, so that nobody meets it half removed.
  const grave = await mkdtemp(path.join(folders.tmp, 'pruned-'));
  const moved = path.join(grave, path.basename(folder));
  try {
    if (touched.has(path.basename(folder)) || !statSync(folder, { throwIfNoEntry: false })) return undefined;
    renameSync(folder, moved);
    const bytes = await bytesIn(moved);
    return [bytes, bytes];
  } finally {
    await rm(grave, { recursive: true, force: true });
  }
}

/** What a folder takes on the disk. */
async function bytesIn(folder: string): Promise<number> {
  // What is removed while it counts makes it complain, and its sum no worse.
  const { stdout } = await run('du', ['-s', '--block-size=1', folder]);
  return Number.parseInt(stdout, 10) || 0;
}
