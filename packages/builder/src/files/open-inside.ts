import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { codeOf } from '@updraft/kit';
import { BuildFailure } from '../failure.ts';

/**
 * Opens a regular file for reading and makes sure that what was opened is that very path: whoever can change the folder
 * while we read could otherwise swap a folder on the way for a link out of it.
 * @throws BuildFailure when the file changed or is none.
 */
export async function openInside(file: string): Promise<FileHandle> {
  const handle = await openFile(file);
  try {
    const status = await handle.stat();
    if (!status.isFile() || (await readlink(`/proc/self/fd/${handle.fd}`)) !== file) throw changed(file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const gone = ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(codeOf(error) ?? '');
    throw gone ? changed(file) : error;
  }
}

export function changed(file: string): BuildFailure {
  return new BuildFailure(`${file} changed while it was being read; build again`);
}
