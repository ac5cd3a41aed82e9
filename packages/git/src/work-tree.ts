import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { gitFault } from './faults.ts';
import { tryGit } from './git.ts';
import { findRepository, splitZero } from './repository.ts';
import { withoutFilters } from './settings.ts';
import { readTree } from './tree.ts';
import type { Files } from './tree.ts';

/**
 * Paths of the work tree that differ from the checked-out commit: changed, deleted, staged or not, and new ones that
 * are not ignored; of a renamed file both names. Sorted. Not among them: what lies inside of submodules and of other
 * repositories, and what a sparse checkout leaves out. Empty for a bare repository.
 */
export async function uncommittedPaths(dir: string): Promise<readonly string[]> {
  const args = [
    'status',
    '--porcelain=v1',
    '-z',
    '--untracked-files=all',
    '--no-renames',
    // `dirty` looks at the submodule's HEAD alone; looking inside would run git by the submodule's own settings.
    '--ignore-submodules=dirty',
    '--',
    ':/',
  ];
  const env = await withoutFilters(dir);
  const result = await tryGit(dir, args, { env, maxOutputBytes: 512 * 1024 * 1024 });
  if (/must be run in a work tree/.test(result.stderr)) return [];
  if (result.code !== 0) throw gitFault(dir, 'status', result.stderr);
  const changed = splitZero(result.stdout)
    .map((entry) => entry.slice(3))
    // A folder in this list is a repository of its own.
    .filter((file) => !file.endsWith('/'));
  return [...new Set(changed)].toSorted();
}

/** Whether git knows the file: it came, or will go, with the repository. */
export async function isTracked(dir: string, file: string): Promise<boolean> {
  const root = await findRepository(dir);
  const listed = await tryGit(root, ['ls-files', '-z', '--', `:(top,literal)${file}`]);
  return listed.stdout !== '';
}

/** Whether the work tree differs from the checked-out commit, new files included. */
export async function isDirty(dir: string): Promise<boolean> {
  return (await uncommittedPaths(dir)).length > 0;
}

export interface WorkTreeState {
  /** Checked out; default: asked. */
  readonly sha?: string;
  /** What `uncommittedPaths` said; default: asked. */
  readonly changed?: readonly string[];
}

/**
 * The files of the work tree: those of the checked-out commit with the uncommitted changes over them. Names are taken
 * now; the contents of uncommitted files when they are asked for.
 */
export async function readWorkTree(dir: string, state: WorkTreeState = {}): Promise<Files> {
  const [root, base, paths] = await Promise.all([
    findRepository(dir),
    state.sha === undefined ? readHead(dir) : readTree(dir, state.sha),
    state.changed ?? uncommittedPaths(dir),
  ]);
  const uncommitted = new Set(paths);
  const present = paths.filter((file) => isFile(root, file));
  const list =
    paths.length === 0
      ? base.list()
      : [...base.list().filter((file) => !uncommitted.has(file)), ...present].toSorted();
  return {
    list: () => list,
    read: (file) => (uncommitted.has(file) ? readInside(root, file) : base.read(file)),
  };
}

const NOTHING: Files = { list: () => [], read: () => undefined };

/** Before the first commit everything is uncommitted. */
async function readHead(dir: string): Promise<Files> {
  const head = await tryGit(dir, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (head.code === 0) return readTree(dir, head.stdout.trim());
  if (head.stderr.trim() !== '') throw gitFault(dir, 'rev-parse', head.stderr);
  return NOTHING;
}

/** Links count: git stores them, whatever they lead to. */
function isFile(root: string, file: string): boolean {
  try {
    const status = lstatSync(path.join(root, file));
    return status.isFile() || status.isSymbolicLink();
  } catch {
    return false;
  }
}

/** More than this is no configuration. */
const READ_LIMIT_BYTES = 16 * 1024 * 1024;

/** Only what lies in the folder itself: git would not follow a link either. */
function readInside(root: string, file: string): string | undefined {
  try {
    const target = path.join(root, file);
    const status = lstatSync(target);
    if (!status.isFile() || status.size > READ_LIMIT_BYTES) return undefined;
    const folder = `${realpathSync(path.dirname(target))}/`;
    return folder.startsWith(`${root}/`) ? readFileSync(target, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
