import { tryGit } from './git.ts';

/**
 * When a folder was last changed by a commit, in milliseconds since 1970: the same in every clone, whenever it was made.
 * Undefined outside of a repository and before the first commit.
 */
export async function lastChangeMs(folder: string): Promise<number | undefined> {
  const { code, stdout } = await tryGit(folder, [
    'log',
    '-1',
    '--no-show-signature',
    '--format=%ct',
    '--',
    '.',
  ]);
  const seconds = Number(stdout.trim());
  return code === 0 && seconds > 0 ? seconds * 1000 : undefined;
}
