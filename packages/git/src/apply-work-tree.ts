import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, open, readlink, rm, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '@updraft/kit';

/**
 * A name for the state of these files: the same as long as none of them is written to, another one after. Read from
 * their status alone (size, times, inode, mode; of links, where they lead), not from their contents.
 */
export async function workTreeKey(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of paths) hash.update(JSON.stringify([file, await stateOf(path.join(root, file))]));
  return hash.digest('hex');
}

async function stateOf(file: string): Promise<unknown> {
  const status = await statusOf(file);
  if (!status) return 'absent';
  if (status.isSymbolicLink()) return ['link', await readlink(file).catch(() => '')];
  return [status.isFile() ? 'file' : 'other', ...timesOf(status), String(status.ino), String(status.mode)];
}

const timesOf = (status: BigIntStats): readonly string[] =>
  [status.size, status.mtimeNs, status.ctimeNs].map(String);

/**
 * Makes these paths in `target`, a checkout of the commit under the work tree, what they are in the work tree `root`:
 * files with their mode, links as they are, absent ones removed; what is neither file nor link counts as absent.
 * Writes below `target` alone, whatever links lie in it, and follows no link of `root`. A file that changes while it
 * is copied is copied again.
 */
export async function applyWorkTree(root: string, paths: readonly string[], target: string): Promise<void> {
  for (const file of paths) await removeInside(root, file, target);
  for (const file of paths) await copyInside(root, file, target);
}

async function removeInside(root: string, file: string, target: string): Promise<void> {
  if (!(await isBelowRealFolders(target, file))) return;
  const [here, there] = await Promise.all([root, target].map((dir) => statusOf(path.join(dir, file))));
  // A folder in both is a submodule, which has been checked out already.
  if (here?.isDirectory() && there?.isDirectory()) return;
  await rm(path.join(target, file), { recursive: true, force: true });
}

async function copyInside(root: string, file: string, target: string): Promise<void> {
  if (!(await isBelowRealFolders(root, file))) return;
  const from = path.join(root, file);
  const status = await statusOf(from);
  if (!status || !(status.isFile() || status.isSymbolicLink())) return;
  await makeRealFolders(target, file);
  const to = path.join(target, file);
  try {
    if (status.isSymbolicLink()) await symlink(await readlink(from), to);
    else await copyFile(from, to);
  } catch (error) {
    // Gone, or made a link or a folder since: as if it had never been there.
    if (!['ENOENT', 'ELOOP', 'EINVAL', 'EISDIR', 'ENXIO'].includes(codeOf(error) ?? '')) throw error;
    await rm(to, { force: true });
  }
}

const ATTEMPTS = 5;

async function copyFile(from: string, to: string): Promise<void> {
  // Without waiting for the other end, should it have become a pipe.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const before = await source.stat({ bigint: true });
      if (!before.isFile()) return;
      await copyContent(source, to, Number(before.mode) & 0o111 ? 0o755 : 0o644);
      const after = await source.stat({ bigint: true });
      const isWhole = timesOf(before).join() === timesOf(after).join();
      // One that never rests, such as a log, is taken as it is.
      if (isWhole || attempt === ATTEMPTS) return;
    }
  } finally {
    await source.close();
  }
}

async function copyContent(source: FileHandle, to: string, mode: number): Promise<void> {
  await rm(to, { force: true });
  const reading = source.createReadStream({ start: 0, autoClose: false });
  const writing = await open(to, 'wx', mode);
  await pipeline(reading, writing.createWriteStream());
}

const foldersOf = (file: string): readonly string[] =>
  file
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'));

/** Whether everything on the way to the file is a folder, not a link to one. */
async function isBelowRealFolders(root: string, file: string): Promise<boolean> {
  if (file.split('/').some((part) => /^(?:\.{0,2}|\.git)$/i.test(part))) return false;
  for (const folder of foldersOf(file)) {
    const status = await statusOf(path.join(root, folder));
    if (!status?.isDirectory()) return false;
  }
  return true;
}

/** What is in the way is another kind of thing than in the work tree, and goes. */
async function makeRealFolders(target: string, file: string): Promise<void> {
  for (const folder of foldersOf(file)) {
    const place = path.join(target, folder);
    const status = await statusOf(place);
    if (status?.isDirectory()) continue;
    if (status) await rm(place);
    await mkdir(place);
  }
}

async function statusOf(file: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(file, { bigint: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
