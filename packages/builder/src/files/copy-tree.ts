import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { chmod, lchown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@updraft/kit';
import { BuildFailure } from '../failure.ts';
import { Breather } from './breather.ts';
import { statusOf } from './merged-root.ts';
import type { ModeChange } from './mode.ts';
import { changed, readInside } from './open-inside.ts';
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
    setTimes(current, options.timestampMs);
  }
}

/**
 * Writes a tree to `target`: a path in a root that holds no symbolic link. Links that stand in the way below it are replaced,
 * never followed.
 */
export async function copyTree(
  tree: SourceTree,
  target: string,
  options: CopyOptions,
  clock: Clock,
): Promise<void> {
  const copier = new Copier(options, new Breather(clock));
  for (const entry of tree.entries) {
    const place = entry.path === '' ? target : `${target}/${entry.path}`;
    if (entry.kind === 'folder') copier.folder(entry, place);
    else await copier.leaf(entry, place);
  }
  // Times last: writing into a folder moves its time.
  for (const { kind, path: name, mtimeMs } of tree.entries) {
    if (kind === 'folder') setTimes(path.join(target, name), options.timestampMs ?? mtimeMs);
  }
}

class Copier {
  readonly #options: CopyOptions;
  readonly #breather: Breather;
  /** First copy of each file that has several names. */
  readonly #linked = new Map<string, string>();

  constructor(options: CopyOptions, breather: Breather) {
    this.#options = options;
    this.#breather = breather;
  }

  folder(entry: TreeEntry, target: string): void {
    const status = lstatSync(target, { throwIfNoEntry: false });
    if (status && !status.isDirectory()) {
      throw new BuildFailure(`cannot copy the folder ${entry.path} over something that is not one`);
    }
    if (!status) mkdirSync(target);
    // The folder that was named itself only lends its content; one that is already there stays as it is.
    if (entry.path !== '') this.#own(entry, target, entry.mode);
    else if (!status) this.#own({ ...entry, uid: 0, gid: 0 }, target, 0o755);
  }

  async leaf(entry: TreeEntry, target: string): Promise<void> {
    const status = lstatSync(target, { throwIfNoEntry: false });
    if (status?.isDirectory()) {
      throw new BuildFailure(`cannot copy the file ${path.basename(entry.file)} over a folder of that name`);
    }
    if (status) rmSync(target);
    await this.#breather.breathe();
    const before = entry.hardLink === undefined ? undefined : this.#linked.get(entry.hardLink);
    if (before !== undefined) return linkSync(before, target);
    if (entry.hardLink !== undefined) this.#linked.set(entry.hardLink, target);
    if (entry.kind === 'link') symlinkSync(entry.link ?? '', target);
    else await copyContent(entry, target, () => this.#breather.breathe());
    this.#own(entry, target, entry.mode);
    setTimes(target, this.#options.timestampMs ?? entry.mtimeMs);
  }

  /** Owner first: giving a file away takes its set-id bits. */
  #own(entry: TreeEntry, target: string, fallback: number): void {
    const { owner, mode } = this.#options;
    lchownSync(target, owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
    if (entry.kind === 'link') return;
    chmodSync(
      target,
      mode && entry.path + entry.kind !== 'folder' ? mode(entry.mode, entry.kind === 'folder') : fallback,
    );
  }
}

function setTimes(file: string, timeMs: number | undefined): void {
  if (timeMs !== undefined) lutimesSync(file, timeMs / 1000, timeMs / 1000);
}

/** Copies and hashes: what lands in the layer is what its key was made of, or nothing. */
async function copyContent(entry: TreeEntry, target: string, breathe: () => Promise<void>): Promise<void> {
  const hash = createHash('sha256');
  const written = openSync(target, 'wx', 0o600);
  try {
    const take = (chunk: Uint8Array) => {
      hash.update(chunk);
      for (let done = 0; done < chunk.length;) done += writeSync(written, chunk, done);
    };
    await readInside(entry.file, take, breathe);
  } finally {
    closeSync(written);
  }
  if (hash.digest('hex') !== entry.digest) throw changed(entry.file);
}
