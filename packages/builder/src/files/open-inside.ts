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

/** The text of a file, read in the same way. */
export async function readTextInside(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  await readInside(
    file,
    (chunk) => chunks.push(Buffer.from(chunk)),
    async () => undefined,
  );
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Opens a folder for as long as `work` takes, and makes sure that it is that very path. What is named below `via` is in the
 * folder that was opened, whatever its path leads to by then.
 * @throws BuildFailure when it changed
 */
export async function withFolder<T>(
  folder: string,
  work: (via: string, descriptor: number) => Promise<T>,
): Promise<T> {
  const descriptor = openFile(folder, constants.O_DIRECTORY);
  try {
    const via = `/proc/self/fd/${descriptor}`;
    if (linkOf(via) !== folder) throw changed(folder);
    return await work(via, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openFile(file: string, flags = 0): number {
  try {
    return openSync(raw(file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | flags);
  } catch (error) {
    const gone = ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(codeOf(error) ?? '');
    throw gone ? changed(file) : error;
  }
}

export function changed(file: string): BuildFailure {
  return new BuildFailure(`${file} changed while it was being read; build again`);
}
