import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { notARepository } from './faults.ts';
import { git, tryGit } from './git.ts';

/**
 * The top folder of the work tree that `dir` lies in; of a bare repository its own folder. Looks upwards without
 * starting git.
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
    if (await isBare(at)) return at;
    if (path.dirname(at) === at) break;
  }
  throw notARepository(dir);
}

/** By the three things that git looks for. */
async function isBare(folder: string): Promise<boolean> {
  for (const part of ['HEAD', 'objects', 'refs']) {
    if (!(await isPresent(path.join(folder, part)))) return false;
  }
  return path.basename(folder) !== '.git';
}

/** Where git keeps what all work trees of a repository share: usually `.git`. */
export async function commonFolder(root: string): Promise<string> {
  const output = await git(root, ['rev-parse', '--git-common-dir']);
  return path.resolve(root, output.replace(/\n$/, ''));
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
