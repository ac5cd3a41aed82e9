import { randomBytes } from 'node:crypto';
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../error-code.ts';
import { StoreBusy } from './store.ts';

/** A lock is held for a few milliseconds; one that has not changed for this long belongs to a process that died. */
const STALE_MS = 3000;
const GIVE_UP_MS = 15_000;

async function take(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(token);
    await handle.close();
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function identity(file: string): Promise<string | undefined> {
  try {
    const { ino, ctimeNs } = await stat(file, { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeQuietly(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * One writer at a time per name, among all processes and machines that mount the folder. A file made with O_EXCL is
 * the only lock that Node has there. Staleness is measured by how long *we* saw the same lock, not by its date: the
 * clocks of two machines differ.
 */
export async function withFileLock<T>(dir: string, name: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(dir, name);
  const token = randomBytes(12).toString('hex');
  const startedAt = performance.now();
  let seen = { identity: '', since: startedAt };
  while (!(await take(file, token))) {
    const now = performance.now();
    if (now - startedAt > GIVE_UP_MS) throw new StoreBusy(`lock of ${name}`);
    const held = await identity(file);
    if (held !== undefined && held !== seen.identity) seen = { identity: held, since: now };
    if (held !== undefined && now - seen.since > STALE_MS) {
      // Moved away, not deleted: of several that find it stale, exactly one moves it.
      const grave = path.join(dir, `.stale-${token}`);
      await rename(file, grave).then(
        () => removeQuietly(grave),
        () => undefined,
      );
      continue;
    }
    await sleep(2 + Math.random() * 10);
  }
  try {
    return await work();
  } finally {
    const holder = await readFile(file, 'utf8').catch(() => undefined);
    if (holder === token) await removeQuietly(file);
  }
}
