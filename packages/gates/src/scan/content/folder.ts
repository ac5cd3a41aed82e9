import { constants } from 'node:fs';
import type { Dirent } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { cleanPath } from './entry.ts';
import type { LayerContent, LayerEntry } from './entry.ts';

/**
 * The members of a folder that holds a root file system, or an overlay layer with its whiteouts as 0:0 devices. Links
 * are never followed. Opaque folders are marked by an attribute that Node cannot read, so use a layer's tar for those.
 */
export async function* readFolder(root: string, isSkipped?: (path: string) => boolean): LayerContent {
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const members = await readdir(path.join(root, folder), { withFileTypes: true });
    const wanted = members.flatMap((member) => {
      const relative = cleanPath(`${folder}/${member.name}`);
      return relative === undefined || isSkipped?.(relative) ? [] : [{ member, relative }];
    });
    pending.push(...wanted.filter(({ member }) => member.isDirectory()).map(({ relative }) => relative));
    const others = wanted.filter(({ member }) => !member.isDirectory());
    // Asking for all of a folder at once takes a fraction of the time.
    yield* await Promise.all(others.map(({ member, relative }) => toEntry(root, relative, member)));
  }
}

async function toEntry(root: string, relative: string, member: Dirent): Promise<LayerEntry> {
  const file = path.join(root, relative);
  if (!member.isFile()) {
    const nothing = async () => Buffer.alloc(0);
    const kind = await kindOf(file, member);
    return { path: relative, kind, size: 0, isExecutable: false, read: nothing, readAt: nothing };
  }
  const { size, mode } = await lstat(file);
  return {
    path: relative,
    kind: 'file',
    size,
    isExecutable: (mode & 0o111) !== 0,
    read: () => readWithoutFollowing(file, 0, size),
    readAt: (offset, length) =>
      readWithoutFollowing(file, offset, Math.min(length, Math.max(0, size - offset))),
  };
}

async function kindOf(file: string, member: Dirent): Promise<LayerEntry['kind']> {
  if (member.isSymbolicLink()) return 'symlink';
  if (!member.isCharacterDevice()) return 'other';
  const { rdev } = await lstat(file);
  return rdev === 0 ? 'whiteout' : 'other';
}

async function readWithoutFollowing(file: string, offset: number, length: number): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
