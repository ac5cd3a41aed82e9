import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from './durable-file.ts';
import { withFileLock } from './file-lock.ts';
import { newId } from './new-id.ts';
import { ONCE_MS, type Creation, type Once } from './store.ts';

interface Remembered {
  readonly fingerprint: string;
  readonly id: string;
  /** Written before the entry and again after it: whoever finds it unfinished makes the entry, with this id. */
  readonly done: boolean;
}

/** Keys of creates, one file each, for every process that mounts the folder. */
export class KeyFiles {
  readonly #dirs: { readonly dir: string; readonly tmpDir: string; readonly locksDir: string };

  constructor(dirs: { dir: string; tmpDir: string; locksDir: string }) {
    this.#dirs = dirs;
  }

  async open(): Promise<void> {
    const { dir } = this.#dirs;
    await mkdir(dir, { recursive: true });
    for (const name of await readdir(dir)) {
      if (await isOld(path.join(dir, name))) await unlink(path.join(dir, name)).catch(() => undefined);
    }
  }

  /** @throws StoreBusy, StoreFull */
  async createOnce({ key, fingerprint }: Once, make: (id: string) => Promise<void>): Promise<Creation> {
    // A hash: keys come from clients and become names of files.
    const name = createHash('sha256').update(key).digest('hex');
    const file = path.join(this.#dirs.dir, name);
    return withFileLock(this.#dirs.locksDir, `key-${name}`, async (): Promise<Creation> => {
      const known = await readKey(file);
      if (known && known.fingerprint !== fingerprint) return { kind: 'conflict' };
      if (known?.done) return { kind: 'repeated', id: known.id };
      const id = known?.id ?? newId();
      const save = (done: boolean) =>
        writeDurably(this.#dirs.tmpDir, file, JSON.stringify({ fingerprint, id, done }));
      if (!known) await save(false);
      await make(id);
      await save(true);
      return { kind: 'created', id };
    });
  }
}

async function isOld(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ONCE_MS;
}

/** A damaged or outdated one counts as none. */
async function readKey(file: string): Promise<Remembered | undefined> {
  try {
    if (await isOld(file)) return undefined;
    const value = JSON.parse(await readFile(file, 'utf8')) as Remembered;
    return typeof value.id === 'string' && typeof value.fingerprint === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
