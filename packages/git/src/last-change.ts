import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '@updraft/kit';
import { tryGit } from './git.ts';
import { findRepository } from './repository.ts';

/** More commits than this, of all folders, are forgotten all at once. */
const MAX_KNOWN = 1000;

/** By folder and commit: what a commit says never changes. */
const known = new Map<string, number>();

/**
 * When a folder was last changed by a commit, in milliseconds since 1970: the same in every clone, whenever it was made.
 * Undefined outside of a repository and before the first commit. Git is only asked about a commit that is new here.
 */
export async function lastChangeMs(folder: string): Promise<number | undefined> {
  const root = await findRepository(folder).catch(() => undefined);
  if (root === undefined) return undefined;
  const commit = await checkedOut(root);
  const key = `${folder}\0${commit}`;
  const before = commit === undefined ? undefined : known.get(key);
  if (before !== undefined) return before;
  const args = ['log', '-1', '--no-show-signature', '--format=%ct', '--', '.'];
  const { code, stdout } = await tryGit(folder, args);
  const seconds = Number(stdout.trim());
  if (code !== 0 || !(seconds > 0)) return undefined;
  // Who commits meanwhile is answered for one of the two commits, and nothing is kept.
  if (commit !== undefined && (await checkedOut(root)) === commit) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, seconds * 1000);
  }
  return seconds * 1000;
}

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * The commit that is checked out, where plain files tell it; undefined where git has to be asked: packed or linked
 * references, and clones that may yet get more of their history.
 */
async function checkedOut(root: string): Promise<string | undefined> {
  const folder = path.join(root, '.git');
  const head = await textAt(path.join(folder, 'HEAD'));
  const [, branch] = /^ref: (refs\/heads\/[\w/-]+)\n$/.exec(head) ?? [];
  const commit = (branch === undefined ? head : await textAt(path.join(folder, branch))).trim();
  return COMMIT.test(commit) && !(await exists(path.join(folder, 'shallow'))) ? commit : undefined;
}

const textAt = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
