import { lstat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Stats } from 'node:fs';
import { extract } from './program.ts';
import { encodeHeader, endOfArchive, plainEntry } from './writer.ts';
import { OVERLAY_XATTR } from './to-overlay.ts';

const OPAQUE_MARK: ReadonlyMap<string, string> = new Map([[`${OVERLAY_XATTR}opaque`, 'y']]);

/**
 * Makes a layer's whiteouts in its unpacked folder, as overlayfs knows them: a character device 0:0 in the place of
 * what is hidden, a mark on a folder whose lower content is. A whiteout speaks of the layers below only: where the
 * layer itself has something, that stays, and a folder is marked.
 */
export async function makeWhiteouts(
  folder: string,
  { whiteouts, opaque }: { readonly whiteouts: readonly string[]; readonly opaque: readonly string[] },
): Promise<void> {
  if (whiteouts.length === 0 && opaque.length === 0) return;
  const headers: Buffer[] = [];
  const opaqueFolders = new Set(opaque);
  for (const path of new Set(whiteouts)) {
    const there = await statusBelow(folder, path);
    if (there === undefined) headers.push(...(await whiteoutEntries(folder, path)));
    else if (there.isDirectory()) opaqueFolders.add(path);
  }
  for (const path of opaqueFolders) {
    const there = await statusBelow(folder, path);
    if (there?.isDirectory())
      headers.push(encodeHeader({ ...folderEntry(path, there), xattrs: OPAQUE_MARK }));
  }
  headers.push(endOfArchive());
  await extract(Readable.from(headers, { objectMode: false }), folder);
}

/** The device, and its parent again so that tar puts back the parent's time. */
async function whiteoutEntries(folder: string, path: string): Promise<Buffer[]> {
  const parentPath = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
  const parent = await statusBelow(folder, parentPath);
  // A parent that a later entry replaced by a file or a link has nothing left to hide.
  if (!parent?.isDirectory()) return [];
  return [encodeHeader(folderEntry(parentPath, parent)), encodeHeader(plainEntry(path, 'char', { mode: 0 }))];
}

function folderEntry(path: string, { mode, uid, gid, mtimeMs }: Stats) {
  return plainEntry(path, 'folder', { mode: mode & 0o7777, uid, gid, mtime: Math.floor(mtimeMs / 1000) });
}

/** Of a path below `folder`, never through a link; undefined when it is not there. */
export async function statusBelow(folder: string, path: string): Promise<Stats | undefined> {
  let current = Buffer.from(folder);
  let status: Stats | undefined;
  for (const part of path.split('/')) {
    if (status && !status.isDirectory()) return undefined;
    current = Buffer.concat([current, Buffer.from(`/${part}`, 'latin1')]);
    try {
      status = await lstat(current);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
  return status;
}
