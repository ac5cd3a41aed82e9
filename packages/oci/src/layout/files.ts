import { codeOf, resolveInRoot } from '@updraft/kit';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { OciFault } from '../faults.ts';

/**
 * Opens a plain file below a folder that came from elsewhere: links are followed inside the folder only, and a pipe or
 * device in the file's place is refused instead of waited for.
 * @throws OciFault ARCHIVE_INVALID when it is not there or no plain file
 */
export async function openInside(folder: string, name: string): Promise<FileHandle> {
  const file = await resolveInRoot(folder, name);
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP')
      throw missing(name);
    throw error;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw missing(name);
}

/** A small file, whole. @throws OciFault ARCHIVE_INVALID also when it is larger than `limit` */
export async function readInside(folder: string, name: string, limit: number): Promise<Buffer> {
  const handle = await openInside(folder, name);
  try {
    if ((await handle.stat()).size > limit)
      throw new OciFault('ARCHIVE_INVALID', `${name} is larger than ${limit} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** True when there is something of that name. */
export async function hasInside(folder: string, name: string): Promise<boolean> {
  try {
    await (await openInside(folder, name)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'ARCHIVE_INVALID') return false;
    throw error;
  }
}

function missing(name: string): OciFault {
  return new OciFault('ARCHIVE_INVALID', `there is no file ${JSON.stringify(name.slice(0, 200))} in it`);
}
