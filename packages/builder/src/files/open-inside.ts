import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from '@updraft/kit';
import { BuildFailure } from '../failure.ts';
import { linkOf, raw } from './raw-path.ts';

const CHUNK = 256 * 1024;
const buffer = Buffer.allocUnsafe(CHUNK);

/**
 * Reads a regular file chunk by chunk and makes sure that what was opened is that very path: whoever can change the folder
 * while we read could otherwise swap a folder on the way for a link out of it. The chunk is only valid until the next one;
 * between chunks of a large file `breathe` lets others work.
 * @throws BuildFailure when the file changed or is none.
 */
export async function readInside(
  file: string,
  onChunk: (chunk: Uint8Array) => void,
  breathe: () => Promise<void>,
): Promise<void> {
  const descriptor = openFile(file);
  try {
    if (!fstatSync(descriptor).isFile() || linkOf(`/proc/self/fd/${descriptor}`) !== file)
      throw changed(file);
    for (;;) {
      const size = readSync(descriptor, buffer, 0, CHUNK, null);
      if (size > 0) onChunk(buffer.subarray(0, size));
      if (size < CHUNK) return;
      await breathe();
    }
  } finally {
    closeSync(descriptor);
  }
}

function openFile(file: string): number {
  try {
    return openSync(raw(file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const gone = ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(codeOf(error) ?? '');
    throw gone ? changed(file) : error;
  }
}

export function changed(file: string): BuildFailure {
  return new BuildFailure(`${file} changed while it was being read; build again`);
}
