import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { resolveInRoot } from '@updraft/kit';

/** A report that cannot be read; its message is for the user. */
export class UnreadableReport extends Error {}

/**
 * Opens a file of a workspace, never through a link and never a device: a job's files must not choose which of the
 * host's files is read.
 */
export async function withPlainFile<T>(
  workspace: string,
  file: string,
  options: { readonly maxBytes: number },
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const folder = path.dirname(file);
  if ((await resolveInRoot(workspace, folder)) !== path.join(workspace, folder)) {
    throw new UnreadableReport(`${file} lies behind a link`);
  }
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path.join(workspace, file), flags).catch(() => {
    throw new UnreadableReport(`${file} is a link or cannot be opened`);
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new UnreadableReport(`${file} is no plain file`);
    if (status.size > options.maxBytes) {
      throw new UnreadableReport(`${file} has ${status.size} bytes; at most ${options.maxBytes} are read`);
    }
    return await use(handle);
  } finally {
    await handle.close();
  }
}

export const readPlainFile = (workspace: string, file: string, maxBytes: number): Promise<Buffer> =>
  withPlainFile(workspace, file, { maxBytes }, (handle) => handle.readFile());
