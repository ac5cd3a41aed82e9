import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Stats } from 'node:fs';
import { codeOf } from '@updraft/kit';
import { VolumeMissing } from './sources.ts';

interface Sort {
  readonly what: string;
  readonly fits: (status: Stats) => boolean;
  readonly make?: (place: string) => Promise<unknown>;
}

const makeFolder = (place: string) => mkdir(place, { recursive: true, mode: 0o755 });
const makeFile = async (place: string) => {
  await makeFolder(path.dirname(place));
  await writeFile(place, '', { flag: 'a', mode: 0o644 });
};

const SORTS: Readonly<Record<string, Sort>> = {
  Directory: { what: 'a directory', fits: (status) => status.isDirectory() },
  DirectoryOrCreate: { what: 'a directory', fits: (status) => status.isDirectory(), make: makeFolder },
  File: { what: 'a file', fits: (status) => status.isFile() },
  FileOrCreate: { what: 'a file', fits: (status) => status.isFile(), make: makeFile },
  Socket: { what: 'a socket file', fits: (status) => status.isSocket() },
  CharDevice: { what: 'a character device', fits: (status) => status.isCharacterDevice() },
  BlockDevice: { what: 'a block device', fits: (status) => status.isBlockDevice() },
  // Whatever is there; a folder when nothing is, as the container engines make one.
  '': { what: 'there', fits: () => true, make: makeFolder },
};

/** Looks whether a path of the host is what the volume says, or makes it. @throws VolumeMissing */
export async function provideHostPath(place: string, type: string): Promise<void> {
  const sort = SORTS[type];
  if (!sort) throw new VolumeMissing(`hostPath type ${type} is not known`);
  if ((await statusOf(place)) === undefined) await sort.make?.(place);
  const status = await statusOf(place);
  if (!status || !sort.fits(status)) {
    throw new VolumeMissing(`hostPath type check failed: ${place} is not ${sort.what}`);
  }
}

async function statusOf(place: string): Promise<Stats | undefined> {
  try {
    return await stat(place);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
