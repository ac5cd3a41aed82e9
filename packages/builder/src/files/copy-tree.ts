import { createHash } from 'node:crypto';
import { chmod, lchown, link, lutimes, mkdir, open, rm, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { BuildFailure } from '../failure.ts';
import { statusOf } from './merged-root.ts';
import type { ModeChange } from './mode.ts';
import { changed, openInside } from './open-inside.ts';
import type { Owner } from './owner.ts';
import type { SourceTree, TreeEntry } from './source-tree.ts';

export interface CopyOptions {
  /** Given by `--chown`; absent: as the entry has it. */
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  /** Absent: the entry's own times. */
  readonly timestampMs: number | undefined;
}

/** Folders on the way that nobody named are root's (or the new owner's) and open to all, as BuildKit makes them. */
export async function makeFolders(root: string, folder: string, options: CopyOptions): Promise<void> {
  const relative = path.relative(root, folder);
  let current = root;
  for (const part of relative.split('/').filter(Boolean)) {
    current = path.join(current, part);
    const status = await statusOf(current);
    if (status?.isDirectory()) continue;
    if (status) throw new BuildFailure(`/${path.relative(root, current)} is in the image and not a folder`);
    await mkdir(current);
    await chmod(current, 0o755);
    if (options.owner) await lchown(current, options.owner.uid, options.owner.gid);
    await setTimes(current, options.timestampMs);
  }
}

/**
 * Writes a tree to `target`: a path in a root that holds no symbolic link. Links that stand in the way below it are replaced,
 * never followed.
 */
export async function copyTree(tree: SourceTree, target: string, options: CopyOptions): Promise<void> {
  const copier = new Copier(options);
  const files: TreeEntry[] = [];
  const folders: TreeEntry[] = [];
  for (const entry of tree.entries) {
    if (entry.kind === 'folder') {
      folders.push(entry);
      await copier.folder(entry, path.join(target, entry.path));
    } else files.push(entry);
  }
  for (let start = 0; start < files.length; start += 16) {
    const some = files.slice(start, start + 16);
    await Promise.all(some.map((entry) => copier.leaf(entry, path.join(target, entry.path))));
  }
  // Times last: writing into a folder moves its time.
  for (const entry of folders)
    await setTimes(path.join(target, entry.path), options.timestampMs ?? entry.mtimeMs);
}

class Copier {
  readonly #options: CopyOptions;
  /** First copy of each file that has several names. */
  readonly #linked = new Map<string, Promise<string>>();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  async folder(entry: TreeEntry, target: string): Promise<void> {
    const status = await statusOf(target);
    if (status && !status.isDirectory()) {
      throw new BuildFailure(`cannot copy the folder ${entry.path} over something that is not one`);
    }
    if (!status) await mkdir(target);
    // The folder that was named itself only lends its content; one that is already there stays as it is.
    if (entry.path !== '') await this.#own(entry, target);
    else if (!status) await this.#own({ ...entry, mode: 0o755, uid: 0, gid: 0 }, target, true);
  }

  async leaf(entry: TreeEntry, target: string): Promise<void> {
    const status = await statusOf(target);
    if (status?.isDirectory()) {
      throw new BuildFailure(`cannot copy the file ${path.basename(entry.file)} over a folder of that name`);
    }
    if (status) await rm(target);
    if (entry.kind === 'link') {
      await symlink(entry.link ?? '', target);
      return await this.#own(entry, target);
    }
    const before = entry.hardLink === undefined ? undefined : this.#linked.get(entry.hardLink);
    if (before) return await link(await before, target);
    const copied = copyContent(entry, target).then(() => target);
    if (entry.hardLink !== undefined) this.#linked.set(entry.hardLink, copied);
    await copied;
    await this.#own(entry, target);
  }

  /** Owner first: giving a file away takes its set-id bits. */
  async #own(entry: TreeEntry, target: string, keepMode = false): Promise<void> {
    const { owner, mode, timestampMs } = this.#options;
    await lchown(target, owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
    const isFolder = entry.kind === 'folder';
    if (entry.kind !== 'link')
      await chmod(target, mode && !keepMode ? mode(entry.mode, isFolder) : entry.mode);
    if (!isFolder) await setTimes(target, timestampMs ?? entry.mtimeMs);
  }
}

async function setTimes(file: string, timeMs: number | undefined): Promise<void> {
  if (timeMs !== undefined) await lutimes(file, timeMs / 1000, timeMs / 1000);
}

const CHUNK = 256 * 1024;

/** Copies and hashes: what lands in the layer is what its key was made of, or nothing. */
async function copyContent(entry: TreeEntry, target: string): Promise<void> {
  const source = await openInside(entry.file);
  try {
    const written = await open(target, 'wx', 0o600);
    try {
      if ((await transfer(source, written)) !== entry.digest) throw changed(entry.file);
    } finally {
      await written.close();
    }
  } finally {
    await source.close();
  }
}

async function transfer(source: FileHandle, target: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK);
    if (bytesRead === 0) return hash.digest('hex');
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    await target.writeFile(chunk);
  }
}
