import { constants } from 'node:fs';
import { access, mkdir, readFile, readdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../error-code.ts';
import { syncFolder, writeDurably } from './durable-file.ts';
import { withFileLock } from './file-lock.ts';
import { KeyFiles } from './key-files.ts';
import { newId } from './new-id.ts';
import {
  EntryUnreadable,
  joinEntries,
  pageOf,
  type Accept,
  type Creation,
  type Listing,
  type Once,
  type Page,
  type Store,
  type WriteOutcome,
} from './store.ts';

const ID = /^[0-9a-f]{32}$/;
const SUFFIX = '.json';
/** Texts kept beside what the file looked like when it was read; a changed file is read again. */
const CACHE_LIMIT = 20_000;
const LIST_CONCURRENCY = 32;
/** What a writer that died left in `tmp`. */
const LEFTOVER_MS = 3_600_000;

interface Cached {
  readonly look: string;
  readonly text: string;
}

function isAbsent(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/**
 * One file an entry, on a volume that any number of processes and machines may share. A file appears by rename(2)
 * after its content is on the disk, so nobody ever reads half of one; replacing and removing hold a lock per entry,
 * so a replace never brings a removed entry back. It needs a file system with working O_EXCL, rename and ctime
 * (local disks, NFS 4, CephFS). It is a stop-gap for a few thousand entries, not a database: a list looks at every file.
 */
export class FileStore implements Store {
  readonly description = 'file (shared volume)';
  readonly #entriesDir: string;
  readonly #tmpDir: string;
  readonly #locksDir: string;
  readonly #keys: KeyFiles;
  readonly #cache = new Map<string, Cached>();

  constructor(options: { path: string }) {
    this.#entriesDir = path.join(options.path, 'entries');
    this.#tmpDir = path.join(options.path, 'tmp');
    this.#locksDir = path.join(options.path, 'locks');
    this.#keys = new KeyFiles({
      dir: path.join(options.path, 'keys'),
      tmpDir: this.#tmpDir,
      locksDir: this.#locksDir,
    });
  }

  async open(): Promise<void> {
    for (const dir of [this.#entriesDir, this.#tmpDir, this.#locksDir]) await mkdir(dir, { recursive: true });
    await this.#keys.open();
    await this.ping();
    await this.#sweep();
  }

  async ping(): Promise<void> {
    for (const dir of [this.#entriesDir, this.#tmpDir, this.#locksDir]) {
      await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  }

  async create(text: string): Promise<string> {
    const id = newId();
    await this.#put(id, text);
    return id;
  }

  async createOnce(text: string, once: Once): Promise<Creation> {
    return this.#keys.createOnce(once, (id) => this.#put(id, text));
  }

  async get(id: string): Promise<string | undefined> {
    return ID.test(id) ? this.#read(id) : undefined;
  }

  async replace(id: string, text: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, () => this.#put(id, text));
  }

  async remove(id: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, async () => {
      await unlink(this.#fileOf(id));
      await syncFolder(this.#entriesDir);
      this.#cache.delete(id);
    });
  }

  async list(): Promise<Listing> {
    const { ids, unreadable } = await this.#names();
    return { text: joinEntries(await this.#readAll(ids, unreadable)), unreadable };
  }

  async page({ after, limit }: { after: string; limit: number }): Promise<Page> {
    const { ids } = await this.#names();
    const wanted = ids.filter((id) => id > after).slice(0, limit + 1);
    return pageOf(await this.#readAll(wanted, []), limit);
  }

  async #names(): Promise<{ ids: readonly string[]; unreadable: string[] }> {
    const ids: string[] = [];
    const unreadable: string[] = [];
    for (const name of (await readdir(this.#entriesDir)).toSorted()) {
      const id = name.slice(0, -SUFFIX.length);
      if (name.endsWith(SUFFIX) && ID.test(id)) ids.push(id);
      else unreadable.push(name);
    }
    return { ids, unreadable };
  }

  async #readAll(ids: readonly string[], unreadable: string[]): Promise<(readonly [string, string])[]> {
    const entries: (readonly [string, string])[] = [];
    for (let start = 0; start < ids.length; start += LIST_CONCURRENCY) {
      const batch = ids.slice(start, start + LIST_CONCURRENCY);
      const texts = await Promise.all(batch.map((id) => this.#readForList(id, unreadable)));
      texts.forEach((text, at) => {
        if (text !== undefined) entries.push([batch[at] ?? '', text]);
      });
    }
    return entries;
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }

  async #write(id: string, accept: Accept | undefined, change: () => Promise<void>): Promise<WriteOutcome> {
    // Absent entries need no lock: ids are never made twice, so an absent one stays absent.
    if (!ID.test(id) || (await this.#look(id)) === undefined) return 'absent';
    return withFileLock(this.#locksDir, id, async () => {
      if ((await this.#look(id)) === undefined) return 'absent';
      if (accept !== undefined) {
        const current = await this.#read(id);
        if (current === undefined) return 'absent';
        if (!accept(current)) return 'refused';
      }
      await change();
      return 'done';
    });
  }

  async #put(id: string, text: string): Promise<void> {
    await writeDurably(this.#tmpDir, this.#fileOf(id), text);
  }

  async #readForList(id: string, unreadable: string[]): Promise<string | undefined> {
    try {
      return await this.#read(id);
    } catch (error) {
      if (!(error instanceof EntryUnreadable)) throw error;
      unreadable.push(id);
      return undefined;
    }
  }

  async #read(id: string): Promise<string | undefined> {
    const look = await this.#look(id);
    if (look === undefined) return undefined;
    const cached = this.#cache.get(id);
    if (cached?.look === look) return cached.text;
    let text: string;
    try {
      text = await readFile(this.#fileOf(id), 'utf8');
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (errorCode(error) === 'EISDIR') throw new EntryUnreadable(id, { cause: error });
      throw error;
    }
    try {
      JSON.parse(text);
    } catch (error) {
      throw new EntryUnreadable(id, { cause: error });
    }
    this.#remember(id, { look, text });
    return text;
  }

  /** What changes whenever the file does: a rename always brings another inode or change time. */
  async #look(id: string): Promise<string | undefined> {
    try {
      const { ino, size, ctimeNs, mtimeNs } = await stat(this.#fileOf(id), { bigint: true });
      return `${ino} ${size} ${ctimeNs} ${mtimeNs}`;
    } catch (error) {
      if (isAbsent(error)) {
        this.#cache.delete(id);
        return undefined;
      }
      throw error;
    }
  }

  #remember(id: string, cached: Cached): void {
    const oldest = this.#cache.keys().next();
    if (this.#cache.size >= CACHE_LIMIT && !oldest.done) this.#cache.delete(oldest.value);
    this.#cache.set(id, cached);
  }

  #fileOf(id: string): string {
    return path.join(this.#entriesDir, id + SUFFIX);
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#tmpDir)) {
      const file = path.join(this.#tmpDir, name);
      const age = await stat(file).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > LEFTOVER_MS) await unlink(file).catch(() => undefined);
    }
  }
}
