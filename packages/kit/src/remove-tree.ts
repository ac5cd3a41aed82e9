import { rm } from 'node:fs/promises';
import { codeOf } from './fault.ts';
import { runOrThrow } from './process.ts';

/**
 * Takes away a file, or a folder with all that is in it; what is not there is no error. Programs in containers can make
 * folders that lie deeper than a path can say: those are left to `rm`, which goes from folder to folder.
 */
export async function removeTree(place: string): Promise<void> {
  try {
    await rm(place, { recursive: true, force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENAMETOOLONG') throw error;
    await runOrThrow('rm', ['-rf', '--', place]);
  }
}
