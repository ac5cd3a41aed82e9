import { chmod, lchown, lutimes, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, resolveInRoot, run } from '@updraft/kit';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { copyTree, makeFolders } from '../files/copy-tree.ts';
import type { CopyOptions } from '../files/copy-tree.ts';
import { statusOf } from '../files/merged-root.ts';
import { EVERYTHING, readTree } from '../files/source-tree.ts';
import type { SourceTree } from '../files/source-tree.ts';

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
  /** Archives are unpacked by way of this scratch folder. */
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
    const done = await unpackArchive(copied, target, { build: options.build, folder: options.unpack });
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

const MAGIC: readonly (readonly [number, string])[] = [
  [0, '1f8b'],
  [0, '425a68'],
  [0, 'fd377a585a00'],
  [0, '28b52ffd'],
  [257, '7573746172'],
];

/** Does it look like a tar archive, compressed or not? Whether it is one, only unpacking tells. */
async function isArchive(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    return MAGIC.some(
      ([offset, hex]) => buffer.subarray(offset, offset + hex.length / 2).toString('hex') === hex,
    );
  } finally {
    await handle.close();
  }
}

/**
 * Unpacks into a folder of its own first, so that no link in the archive can lead out of the image; false when the file is no
 * archive after all.
 */
export async function unpackArchive(
  archive: string,
  target: Target,
  { build, folder }: { build: Build; folder: string },
): Promise<boolean> {
  const { signal } = build;
  if (!(await hasMembers(archive, signal))) return false;
  const unpacked = path.join(folder, 'unpacked');
  await mkdir(unpacked);
  const args = [
    '--extract',
    '--file',
    archive,
    '--directory',
    unpacked,
    '--numeric-owner',
    '--preserve-permissions',
    '--xattrs',
    '--xattrs-include=*',
  ];
  const result = await run('tar', args, { signal });
  if (result.code !== 0) throw new BuildFailure(`the archive cannot be unpacked: ${result.stderr.trim()}`);
  const tree = await readTree(
    { path: unpacked, ignore: undefined, owner: 'kept' },
    '',
    EVERYTHING,
    build.workshop,
  );
  const place = await resolveInRoot(target.root, target.path);
  await makeFolders(target.root, place, target.options);
  const { owner } = target.options;
  const options = { owner, mode: undefined, timestampMs: undefined, replace: true };
  await copyTree(tree, place, options, build.workshop.clock);
  await rm(unpacked, { recursive: true, force: true });
  return true;
}

async function hasMembers(archive: string, signal: AbortSignal): Promise<boolean> {
  try {
    const listed = await run('tar', ['--list', '--file', archive], { signal, maxOutputBytes: 64 * 1024 });
    return listed.code === 0 && listed.stdout !== '';
  } catch (error) {
    // More names than anyone wants to read are still names.
    if (codeOf(error) === 'OUTPUT_TOO_LARGE') return true;
    throw error;
  }
}
