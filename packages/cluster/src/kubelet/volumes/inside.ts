import { constants } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, resolveInRoot } from '@updraft/kit';

/** Node does not name it: a handle that stands for a place, without reading what is there. */
const O_PATH = 0o10000000;

/** What a handle stands for, as a path that nobody can lead elsewhere. Of this process alone. */
export const placeOf = (handle: FileHandle) => `/proc/self/fd/${handle.fd}`;

/** What lies at `name` in the folder, a link itself included. */
export const openEntry = (folder: FileHandle, name: string): Promise<FileHandle> =>
  open(path.join(placeOf(folder), name), O_PATH | constants.O_NOFOLLOW);

/** A handle on what lies at a path that is nobody else's to change. */
export const openPlace = (place: string): Promise<FileHandle> => open(place, O_PATH);

/**
 * A part of a volume: never outside it, whatever links lie there, and whoever changes them at this moment. Made as a
 * folder when it is missing: who may write to the volume may write to it.
 * @throws an error with the code ELOOP or ENOTDIR when something on the way became a link meanwhile
 */
export async function openInside(volume: string, part: string): Promise<FileHandle> {
  const target = await resolveInRoot(volume, part);
  let at = await openPlace(volume);
  for (const name of path.relative(volume, target).split('/').filter(Boolean)) {
    const folder = at;
    try {
      at = await enter(folder, name);
    } finally {
      await folder.close();
    }
  }
  return at;
}

async function enter(folder: FileHandle, name: string): Promise<FileHandle> {
  const found = await openEntry(folder, name).catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    return makeIn(folder, name);
  });
  if (!(await found.stat()).isSymbolicLink()) return found;
  await found.close();
  throw Object.assign(new Error(`${name} became a symbolic link`), { code: 'ELOOP' });
}

async function makeIn(folder: FileHandle, name: string): Promise<FileHandle> {
  const { mode } = await folder.stat();
  const isMade = await mkdir(path.join(placeOf(folder), name)).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    },
  );
  const made = await openEntry(folder, name);
  // mkdir's mode is cut by the umask. What a container has put there in between keeps its own.
  if (isMade && (await made.stat()).isDirectory()) await chmod(placeOf(made), mode & 0o7777);
  return made;
}
