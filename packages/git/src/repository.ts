import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { notARepository } from './faults.ts';
import { tryGit } from './git.ts';

/**
 * The top folder of the work tree that `dir` lies in. Looks for `.git` upwards without starting git, which is asked
 * only where the folder has none.
 * @throws GitFault NOT_A_REPOSITORY
 */
export async function findRepository(dir: string): Promise<string> {
  let folder: string;
  try {
    folder = await realpath(dir);
  } catch {
    throw notARepository(dir);
  }
  for (let at = folder; ; at = path.dirname(at)) {
    if (await isPresent(path.join(at, '.git'))) return at;
    if (path.dirname(at) === at) break;
  }
  throw notARepository(dir);
}

const isPresent = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/**
 * Paths that differ between two commits, old names of renamed files included; undefined when `from` is not known
 * (all zeros, or beyond a shallow clone).
 */
export async function changedFiles(
  dir: string,
  from: string,
  to: string,
): Promise<readonly string[] | undefined> {
  if (/^0*$/.test(from) || from.startsWith('-') || to.startsWith('-')) return undefined;
  const args = [
    'diff',
    '--name-only',
    '--no-renames',
    '-z',
    '--no-ext-diff',
    '--no-textconv',
    from,
    to,
    '--',
  ];
  const result = await tryGit(dir, args);
  return result.code === 0 ? splitZero(result.stdout) : undefined;
}

export const splitZero = (output: string): string[] => output.split('\0').filter((part) => part !== '');
