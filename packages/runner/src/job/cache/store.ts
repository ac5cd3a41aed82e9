import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readlinkSync } from 'node:fs';
import { readFile, readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { KeyedLock, codeOf, exists, writeFileAtomic } from '@updraft/kit';
import { keyFile, packFiles, unpackFiles } from '../files.ts';

export interface CacheLimits {
  /** All caches of the machine together. */
  readonly totalBytes: number;
  /** A cache that nobody has asked for so long goes. */
  readonly unusedSeconds: number;
}

export const CACHE_LIMITS: CacheLimits = { totalBytes: 5 * 1024 ** 3, unusedSeconds: 30 * 24 * 3600 };

/** An archive that no entry names belongs to a writer that died, or to one that is still at work. */
const ORPHAN_AFTER_MS = 3600 * 1000;

/** What is kept of a cache beside its archive. The entry is the cache: an archive without one does not exist. */
interface Entry {
  readonly key: string;
  readonly archive: string;
  readonly bytes: number;
  readonly files: number;
  /** In which its files lie. */
  readonly folders: readonly string[];
  /** Changes with every name, size, mode, link and time of change in it. */
  readonly signature: string;
}

interface Kept extends Entry {
  readonly file: string;
  readonly usedAt: number;
}

export type SaveResult =
  | { readonly kind: 'saved'; readonly bytes: number; readonly evicted: readonly string[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'tooLarge'; readonly bytes: number };

const ATTEMPTS = 5;
const PAUSE_EVERY = 500;

const lock = new KeyedLock();

/**
 * Caches below a folder, one sub-folder for each project. An archive is written under a name of its own, then one
 * atomic write of its entry makes it the cache: readers, parallel writers and a killed process see the old one or the
 * new one, whole.
 */
export class CacheStore {
  readonly #dir: string;
  readonly #limits: CacheLimits;

  constructor(dir: string, limits: CacheLimits = CACHE_LIMITS) {
    this.#dir = dir;
    this.#limits = limits;
  }

  /** @returns false when there is no such cache. */
  async restore(project: string, key: string, workspace: string, now: number): Promise<boolean> {
    const file = this.#entryFile(project, key);
    for (let attempt = 1; ; attempt += 1) {
      const entry = await readEntry(file);
      if (!entry) return false;
      const archive = path.join(path.dirname(file), entry.archive);
      try {
        await unpackFiles(archive, workspace, entry.folders);
        await utimes(file, now / 1000, now / 1000);
        return true;
      } catch (error) {
        // Another job has just replaced it: the next look finds the new one.
        if ((await exists(archive)) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async save(
    { project, key, now }: { project: string; key: string; now: number },
    workspace: string,
    files: readonly string[],
  ): Promise<SaveResult> {
    const { bytes, signature } = await measure(workspace, files);
    if (bytes > this.#limits.totalBytes / 2) return { kind: 'tooLarge', bytes };
    const file = this.#entryFile(project, key);
    const saved = await lock.use(file, async () => {
      const before = await readEntry(file);
      if (before?.signature === signature) {
        await utimes(file, now / 1000, now / 1000);
        return false;
      }
      const archive = `${path.basename(file, '.json')}.${randomBytes(6).toString('hex')}.tar`;
      const target = path.join(path.dirname(file), archive);
      await packFiles(workspace, files, target);
      const packed = (await stat(target)).size;
      const folders = [...new Set(files.map((each) => path.dirname(each)))];
      const entry: Entry = { key, archive, bytes: packed, files: files.length, folders, signature };
      await writeFileAtomic(file, JSON.stringify(entry));
      await utimes(file, now / 1000, now / 1000);
      if (before) await rm(path.join(path.dirname(file), before.archive), { force: true });
      return true;
    });
    return saved ? { kind: 'saved', bytes, evicted: await this.evict(now, file) } : { kind: 'unchanged' };
  }

  /**
   * Removes what is too old, then the least recently used until all fit, and what dead writers left.
   * @param keep the entry just written. @returns the keys that went
   */
  async evict(now: number, keep?: string): Promise<readonly string[]> {
    const all = (await this.#all(now)).toSorted((a, b) => b.usedAt - a.usedAt);
    let total = 0;
    const removed: string[] = [];
    for (const entry of all) {
      const old = now - entry.usedAt > this.#limits.unusedSeconds * 1000;
      if (entry.file === keep || (!old && total + entry.bytes <= this.#limits.totalBytes)) {
        total += entry.bytes;
        continue;
      }
      await lock.use(entry.file, () => removeEntry(entry));
      removed.push(entry.key);
    }
    return removed;
  }

  /** Entries that can be read; archives that belong to none are removed on the way. */
  async #all(now: number): Promise<readonly Kept[]> {
    const kept: Kept[] = [];
    for (const project of await namesIn(this.#dir)) {
      const folder = path.join(this.#dir, project);
      const names = await namesIn(folder);
      const here: Kept[] = [];
      for (const name of names.filter((each) => each.endsWith('.json'))) {
        const file = path.join(folder, name);
        const [entry, status] = await Promise.all([readEntry(file), stat(file).catch(() => undefined)]);
        if (entry && status) here.push({ ...entry, file, usedAt: status.mtimeMs });
      }
      const used = new Set(here.map((entry) => entry.archive));
      const others = names.filter((name) => !name.endsWith('.json') && !used.has(name));
      await removeOrphans(
        others.map((name) => path.join(folder, name)),
        now,
      );
      kept.push(...here);
    }
    return kept;
  }

  #entryFile(project: string, key: string): string {
    return path.join(this.#dir, keyFile(project), `${keyFile(key)}.json`);
  }
}

async function removeEntry(entry: Kept): Promise<void> {
  await rm(entry.file, { force: true });
  await rm(path.join(path.dirname(entry.file), entry.archive), { force: true });
}

async function removeOrphans(files: readonly string[], now: number): Promise<void> {
  for (const file of files) {
    const status = await stat(file).catch(() => undefined);
    if (status && now - status.mtimeMs > ORPHAN_AFTER_MS) await rm(file, { recursive: true, force: true });
  }
}

async function readEntry(file: string): Promise<Entry | undefined> {
  try {
    const entry = JSON.parse(await readFile(file, 'utf8')) as Entry;
    await stat(path.join(path.dirname(file), entry.archive));
    return entry;
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  });
}

/** What tar keeps of a file: its name, mode, size, target and second of change. */
async function measure(
  workspace: string,
  files: readonly string[],
): Promise<{ bytes: number; signature: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    // One by one and at once is ten times faster than asking for thousands in turn; others get theirs in between.
    if (index % PAUSE_EVERY === 0) await setImmediate();
    const full = path.join(workspace, file);
    const status = lstatSync(full);
    const target = status.isSymbolicLink() ? readlinkSync(full) : '';
    const facts = [file, status.mode, status.size, target, Math.floor(status.mtimeMs / 1000)];
    hash.update(`${facts.join('\0')}\0`);
    bytes += status.isFile() ? status.size : 0;
  }
  return { bytes, signature: hash.digest('hex') };
}
