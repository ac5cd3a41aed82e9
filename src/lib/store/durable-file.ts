import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../error-code.ts';
import { StoreFull } from './store.ts';

const NO_SPACE = ['ENOSPC', 'EDQUOT'];

/** A name that has appeared or gone is on the disk after this. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The file is there whole, on the disk, or as it was before. `tmpDir` is on the same file system.
 * @throws StoreFull
 */
export async function writeDurably(tmpDir: string, file: string, text: string): Promise<void> {
  const temporary = path.join(tmpDir, `${path.basename(file)}-${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    if (NO_SPACE.includes(errorCode(error))) throw new StoreFull('no space left', { cause: error });
    throw error;
  }
}
