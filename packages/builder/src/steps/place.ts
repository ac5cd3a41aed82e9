import { chmod, lchown, lutimes, rm } from 'node:fs/promises';
import path from 'node:path';
import { resolveInRoot } from '@updraft/kit';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { isArchive } from '../files/archive.ts';
import { Breather } from '../files/breather.ts';
import { copyTree, makeFolders } from '../files/copy-tree.ts';
import type { CopyOptions } from '../files/copy-tree.ts';
import { statusOf } from '../files/merged-root.ts';
import type { SourceTree } from '../files/source-tree.ts';
import { unpackInto } from '../files/unpack.ts';

/** Where COPY writes. */
export interface Target {
  /** The image's files on the host. */
  readonly root: string;
  /** Absolute inside the image. */
  readonly path: string;
  /** It was written as a folder: `/app/`. */
  readonly isFolder: boolean;
  readonly options: CopyOptions;
}

export interface PlaceOptions {
  readonly build: Build;
  /** Archives are unpacked, by way of a copy in this scratch folder. */
  readonly unpack: string | undefined;
}

const PLAIN = { owner: undefined, mode: undefined };

/** Puts a file, or the content of a folder, where COPY says. */
export async function placeTree(tree: SourceTree, target: Target, options: PlaceOptions): Promise<void> {
  const [self] = tree.entries;
  const { clock } = options.build.workshop;
  if (!self) return;
  if (self.kind === 'folder') {
    const folder = await resolveInRoot(target.root, target.path);
    await makeFolders(target.root, target.isFolder ? folder : path.dirname(folder), target.options);
    return await copyTree(tree, folder, target.options, clock);
  }
  if (options.unpack !== undefined && self.kind === 'file' && (await isArchive(self.file))) {
    const copied = path.join(options.unpack, 'archive');
    await copyTree(tree, copied, { ...PLAIN, timestampMs: target.options.timestampMs }, clock);
    const done = await unpackArchive(copied, target, options.build);
    await rm(copied);
    if (done) return;
  }
  const file = await filePath(target, path.basename(tree.name) || path.basename(self.file));
  await copyTree(tree, file, target.options, clock);
}

/** The file that a single source becomes: the target itself, or `name` in it when it is a folder. */
async function filePath(target: Target, name: string): Promise<string> {
  if (/^\.{0,2}$/.test(name)) throw new BuildFailure(`"${name}" is no name for a file`);
  const resolved = await resolveInRoot(target.root, target.path);
  const isFolder = target.isFolder || (await statusOf(resolved))?.isDirectory() === true;
  const file = isFolder ? path.join(resolved, name) : resolved;
  await makeFolders(target.root, path.dirname(file), target.options);
  return file;
}

/** Writes one file that comes from no source tree; `write` makes it anew and tells its mode. */
export async function placeFile(
  target: Target,
  name: string,
  write: (file: string) => Promise<number>,
): Promise<void> {
  const file = await filePath(target, name);
  const status = await statusOf(file);
  if (status?.isDirectory())
    throw new BuildFailure(`cannot write the file ${name} over a folder of that name`);
  if (status) await rm(file);
  const mode = await write(file);
  const { owner, mode: change, timestampMs } = target.options;
  if (owner) await lchown(file, owner.uid, owner.gid);
  await chmod(file, change ? change(mode, false) : mode);
  if (timestampMs !== undefined) await lutimes(file, timestampMs / 1000, timestampMs / 1000);
}

/** Unpacks an archive into a folder; false when the file is none. */
export async function unpackArchive(archive: string, target: Target, build: Build): Promise<boolean> {
  if (!(await isArchive(archive))) return false;
  const folder = await resolveInRoot(target.root, target.path);
  const { owner, timestampMs } = target.options;
  await makeFolders(target.root, folder, { owner, mode: undefined, timestampMs });
  await unpackInto(archive, folder, { owner, timestampMs }, new Breather(build.workshop.clock));
  return true;
}
