import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
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
import { codeOf } from '@updraft/kit';
import { makeNode, writeAttribute } from '@updraft/pods';
import { BuildFailure } from '../failure.ts';
import { Breather } from './breather.ts';
import { statusOf } from './merged-root.ts';
import type { ModeChange } from './mode.ts';
import { changed, readInside } from './open-inside.ts';
import type { Owner } from './owner.ts';
import { raw } from './raw-path.ts';
import type { SourceTree, TreeEntry } from './source-tree.ts';

export interface CopyOptions {
  /** Given by `--chown`; absent: as the entry has it. */
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  /** Absent: the entry's own times. */
  readonly timestampMs: number | undefined;
  /** Of folders that are made on the way to the target; absent: 755. */
  readonly folderMode?: number;
}

/** Folders on the way that nobody named are root's (or the new owner's) and open to all, or as --chmod says. */
export async function makeFolders(root: string, folder: string, options: CopyOptions): Promise<void> {
  const relative = path.relative(root, folder);
  let current = root;
  for (const part of relative.split('/').filter(Boolean)) {
    current = path.join(current, part);
    const status = await statusOf(current);
    if (status?.isDirectory()) continue;
    if (status) throw new BuildFailure(`/${path.relative(root, current)} is in the image and not a folder`);
    await mkdir(raw(current));
    await chmod(raw(current), options.folderMode ?? 0o755);
    if (options.owner) await lchown(raw(current), options.owner.uid, options.owner.gid);
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
    const inTheWay = lstatSync(raw(target), { throwIfNoEntry: false });
    if (inTheWay && !inTheWay.isDirectory()) {
      throw new BuildFailure(`${entry.path || 'the target'} is in the image and not a folder`);
    }
    if (!inTheWay) mkdirSync(raw(target));
    // The folder that was named itself only lends its content; one that is already there stays as it is.
    if (entry.path !== '') this.#own(entry, target, entry.mode);
    else if (!inTheWay) this.#own({ ...entry, uid: 0, gid: 0, attributes: [] }, target, 0o755);
  }

  async leaf(entry: TreeEntry, target: string): Promise<void> {
    const inTheWay = lstatSync(raw(target), { throwIfNoEntry: false });
    if (inTheWay?.isDirectory()) {
      throw new BuildFailure(`cannot copy the file ${path.basename(entry.file)} over a folder of that name`);
    }
    if (inTheWay) rmSync(raw(target));
    await this.#breather.breathe();
    const before = entry.hardLink === undefined ? undefined : this.#linked.get(entry.hardLink);
    if (before !== undefined) return linkSync(raw(before), raw(target));
    if (entry.hardLink !== undefined) this.#linked.set(entry.hardLink, target);
    if (entry.node) makeNode(raw(target), entry.node.type | 0o600, entry.node.device);
    else if (entry.kind === 'link') symlinkSync(raw(entry.link ?? ''), raw(target));
    else await copyContent(entry, target, () => this.#breather.breathe());
    this.#own(entry, target, entry.mode);
    setTimes(target, this.#options.timestampMs ?? entry.mtimeMs);
  }

  /** Owner first: giving a file away takes its set-id bits and capabilities. */
  #own(entry: TreeEntry, target: string, fallback: number): void {
    const { owner, mode } = this.#options;
    lchownSync(raw(target), owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
    if (entry.kind !== 'link') {
      const isLent = entry.kind === 'folder' && entry.path === '';
      chmodSync(raw(target), mode && !isLent ? mode(entry.mode, entry.kind === 'folder') : fallback);
    }
    for (const [name, value] of entry.attributes) setAttribute(target, name, value);
  }
}

/** What the image's file system cannot hold is left out, as other builders do. */
export function setAttribute(target: string, name: string, value: Buffer): void {
  try {
    writeAttribute(raw(target), name, value);
  } catch (error) {
    if (codeOf((error as Error).cause) !== 'ENOTSUP') throw error;
  }
}

export function setTimes(file: string, timeMs: number | undefined): void {
  if (timeMs !== undefined) lutimesSync(raw(file), timeMs / 1000, timeMs / 1000);
}

const ZEROS = Buffer.alloc(256 * 1024);

/** Copies and hashes: what lands in the layer is what its key was made of, or nothing. Holes stay holes. */
async function copyContent(entry: TreeEntry, target: string, breathe: () => Promise<void>): Promise<void> {
  const hash = createHash('sha256');
  const written = openSync(raw(target), 'wx', 0o600);
  let size = 0;
  try {
    const take = (chunk: Uint8Array) => {
      hash.update(chunk);
      const isHole = chunk.length === ZEROS.length && ZEROS.equals(chunk);
      for (let done = isHole ? chunk.length : 0; done < chunk.length;)
        done += writeSync(written, chunk, done, chunk.length - done, size + done);
      size += chunk.length;
    };
    if (entry.digest !== EMPTY) await readInside(entry.file, take, breathe);
    ftruncateSync(written, size);
  } finally {
    closeSync(written);
  }
  if (hash.digest('hex') !== entry.digest) throw changed(entry.file);
}

/** Of no content: also what a socket of a context becomes, which cannot be opened. */
const EMPTY = createHash('sha256').digest('hex');
