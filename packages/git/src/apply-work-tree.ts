import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, open, readlink, rm, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Semaphore, codeOf } from '@updraft/kit';

/**
 * A name for the state of these files: the same as long as none of them is written to, another one after. Read from
 * their status alone (size, times, inode, mode; of links, where they lead), not from their contents.
 */
export async function workTreeKey(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const states = await eachOf(paths, async (file) => [file, await stateOf(path.join(root, file))]);
  for (const state of states) hash.update(JSON.stringify(state));
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
 * Writes below `target` alone, whatever links lie in it, and never into a file that is there, which may have other
 * names; follows no link of `root`. A file that changes while it is copied is copied again.
 */
export async function applyWorkTree(root: string, paths: readonly string[], target: string): Promise<void> {
  const tidy = paths.filter((file) => !file.split('/').some((part) => /^(?:\.{0,2}|\.git)$/i.test(part)));
  // One after the other: what goes may be the folder that another of the paths lies in.
  for (const file of tidy) await removeInside(root, file, target);
  const folders = new Folders(root, target);
  const present: string[] = [];
  for (const file of tidy) if (await folders.makeFor(file)) present.push(file);
  await eachOf(present, (file) => copyInside(path.join(root, file), path.join(target, file)));
}

const AT_ONCE = 16;

async function eachOf<T>(
  paths: readonly string[],
  work: (file: string) => Promise<T>,
): Promise<readonly T[]> {
  const places = new Semaphore(AT_ONCE);
  return Promise.all(paths.map((file) => places.use(() => work(file))));
}

async function removeInside(root: string, file: string, target: string): Promise<void> {
  const there = await statusOf(path.join(target, file));
  if (!there || !(await isBelowRealFolders(target, file))) return;
  // A folder in both is a submodule, which has been checked out already.
  if (there.isDirectory() && (await statusOf(path.join(root, file)))?.isDirectory()) return;
  await rm(path.join(target, file), { recursive: true, force: true });
}

/** The folders on the way to files: looked at once, however many files lie in them. */
class Folders {
  readonly #root: string;
  readonly #target: string;
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(root: string, target: string) {
    this.#root = root;
    this.#target = target;
  }

  /** Makes them in the target as they are in the work tree; false when they are no folders there. */
  async makeFor(file: string): Promise<boolean> {
    for (const folder of foldersOf(file)) {
      const made = this.#known.get(folder) ?? this.#make(folder);
      this.#known.set(folder, made);
      if (!(await made)) return false;
    }
    return true;
  }

  async #make(folder: string): Promise<boolean> {
    const here = await statusOf(path.join(this.#root, folder));
    if (!here?.isDirectory()) return false;
    const place = path.join(this.#target, folder);
    const there = await statusOf(place);
    if (there?.isDirectory()) return true;
    // What is in the way is another kind of thing than in the work tree.
    if (there) await rm(place);
    await mkdir(place);
    return true;
  }
}

async function copyInside(from: string, to: string): Promise<void> {
  const status = await statusOf(from);
  if (!status || !(status.isFile() || status.isSymbolicLink())) return;
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
      await copyContent(source, to, before);
      const after = await source.stat({ bigint: true });
      const isWhole = timesOf(before).join() === timesOf(after).join();
      // One that never rests, such as a log, is taken as it is.
      if (isWhole || attempt === ATTEMPTS) return;
      await rm(to);
    }
  } finally {
    await source.close();
  }
}

const CHUNK_BYTES = 1024 * 1024;

async function copyContent(source: FileHandle, to: string, { size, mode }: BigIntStats): Promise<void> {
  const writing = await open(to, 'wx', Number(mode) & 0o111 ? 0o755 : 0o644);
  try {
    const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(Number(size), CHUNK_BYTES)));
    for (let at = 0; ;) {
      const { bytesRead } = await source.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) return;
      await writing.writeFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await writing.close();
  }
}

const foldersOf = (file: string): readonly string[] =>
  file
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'));

/** Whether everything on the way to the file is a folder, not a link to one. */
async function isBelowRealFolders(root: string, file: string): Promise<boolean> {
  for (const folder of foldersOf(file)) {
    const status = await statusOf(path.join(root, folder));
    if (!status?.isDirectory()) return false;
  }
  return true;
}

async function statusOf(file: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(file, { bigint: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
