import { randomBytes } from 'node:crypto';
import { access, lstat, mkdir, open, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Fault, codeOf } from './fault.ts';

/**
 * Writes a file so that a reader, or the next start after a crash, sees the old content or the new, never a part.
 * Folders on the way are made.
 * @throws Fault DISK_FULL when the disk has no room; nothing is left behind.
 */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const write = async (handle: FileHandle, isReplaced: boolean) => {
    await handle.writeFile(content);
    if (isReplaced) await handle.datasync();
  };
  await replaceFile(file, write, { mode: options.mode ?? 0o644 });
}

/**
 * What `write` wrote takes the place of `file` when it is whole. A device, pipe or socket is no content that could be
 * replaced (`/dev/null` must stay what it is): that is written to as it stands.
 * @throws what `write` throws; Fault DISK_FULL when the disk has no room. Nothing is left behind.
 */
export async function replaceFile(
  file: string,
  write: (handle: FileHandle, isReplaced: boolean) => Promise<void>,
  options: { mode?: number } = {},
): Promise<void> {
  if (await isSpecial(file)) return writing(await open(file, 'w'), (handle) => write(handle, false));
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writing(await open(temporary, 'wx', options.mode), (handle) => write(handle, true));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskFault(error, file);
  }
}

async function writing(handle: FileHandle, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await write(handle);
  } finally {
    await handle.close();
  }
}

async function isSpecial(file: string): Promise<boolean> {
  try {
    const status = await stat(file);
    return !status.isFile() && !status.isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Turns "no space left" into the one fault every room shows for it; gives back anything else as it is. */
export function diskFault(error: unknown, file: string): unknown {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'SQLITE_FULL') return error;
  return new Fault('DISK_FULL', `no space left on the disk while writing ${file}`, {
    cause: error,
    next: 'Free some space, for example with `updraft image prune`, and run again.',
  });
}

/** The text of a file, or undefined when there is none. */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

const MAX_LINKS = 40;

/**
 * Where `target` lies when `root` is the root of the file system, as a process confined to it would see it:
 * symbolic links are followed inside `root`, absolute ones start at `root`, and `..` stops there.
 * The result need not exist. It is a path at the time of the call: for files an enemy may change meanwhile,
 * open the result without following links.
 */
export async function resolveInRoot(root: string, target: string): Promise<string> {
  const pending = target.split('/').filter(Boolean);
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const part = pending.shift();
    if (part === undefined || part === '.') continue;
    if (part === '..') {
      resolved = resolved.slice(0, -1);
      continue;
    }
    const link = await linkTarget(path.join(root, ...resolved, part));
    if (link === undefined) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Fault('TOO_MANY_LINKS', `too many symbolic links in ${target}`);
    if (link.startsWith('/')) resolved = [];
    pending.unshift(...link.split('/').filter(Boolean));
  }
  return path.join(root, ...resolved);
}

async function linkTarget(file: string): Promise<string | undefined> {
  try {
    const status = await lstat(file);
    return status.isSymbolicLink() ? await readlink(file) : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Is there something of this name? What may not be looked at counts as absent. */
export const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
