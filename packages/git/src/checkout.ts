import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { GitFault, gitFault } from './faults.ts';
import { git, tryGit } from './git.ts';
import { fillLfsFiles } from './lfs.ts';
import { projectOf } from './project.ts';
import { findRepository } from './repository.ts';
import { readSettings, remoteOf } from './settings.ts';
import type { Settings } from './settings.ts';
import { checkoutSubmodules } from './submodules.ts';

export interface CheckoutOptions {
  /** So many commits of history, as GitLab's GIT_DEPTH; default all. */
  readonly depth?: number;
  /** As GIT_SUBMODULE_STRATEGY; default none. */
  readonly submodules?: 'none' | 'normal' | 'recursive';
  readonly submoduleDepth?: number;
  /** Large files stay pointers (GIT_LFS_SKIP_SMUDGE); default: they are filled from what was fetched before. */
  readonly skipLfs?: boolean;
}

export interface CheckedOut {
  /** What is not as GitLab would have it, for the job's log. */
  readonly notes: readonly string[];
}

const NO_HOUSEKEEPING = ['-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'transfer.unpackLimit=1'];

/** Asks for a commit that may be no branch's tip. A constant: git hands it to a shell. */
const UPLOAD_PACK = '--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack';

/** The user's own settings (line ends, filter programs) are for their work tree, not for a job's. */
const NO_USER_SETTINGS = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1' };

/**
 * Puts the files of a commit into `target`, with a `.git` of its own in which `git log`, `diff` and `describe` work:
 * HEAD is detached at the commit, branches are `origin/*`, tags are tags. Objects are copied, never linked or
 * shared: whoever may write to `target` cannot reach `dir`, which is only read. `target` must not exist or be empty;
 * after a failure it is gone.
 * @throws GitFault UNKNOWN_REF when the commit is not there, SUBMODULE_MISSING
 */
export async function checkout(
  dir: string,
  sha: string,
  target: string,
  options: CheckoutOptions = {},
): Promise<CheckedOut> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) {
    throw new GitFault('UNKNOWN_REF', `${JSON.stringify(sha)} is not the full id of a commit`);
  }
  const root = await findRepository(dir);
  await mkdir(target, { recursive: true });
  try {
    const cut = await copyHistory(root, sha, { target, ...options });
    await git(target, [...NO_HOUSEKEEPING, 'checkout', '--quiet', '--detach', sha], {
      env: NO_USER_SETTINGS,
    });
    await rm(path.join(target, '.git/FETCH_HEAD'), { force: true });
    const lfs = options.skipLfs ? [] : await fillLfsFiles(root, target);
    const submodules = await checkoutSubmodules(root, target, { ...options, checkout });
    return { notes: [...cut, ...lfs, ...submodules] };
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

async function copyHistory(
  root: string,
  sha: string,
  to: CheckoutOptions & { target: string },
): Promise<readonly string[]> {
  const format = sha.length === 64 ? ['--object-format=sha256'] : [];
  const [settings] = await Promise.all([
    readSettings(root),
    git(to.target, ['init', '--quiet', '--template=', ...format, '.']),
  ]);
  const partial = isPartial(settings);
  // Of other commits a partial clone has no files: git could not copy them without asking the remote.
  const refs = partial ? [] : ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  await fetchCommit(root, [sha, ...refs], { target: to.target, depth: partial ? 1 : to.depth });
  // Without user and password: jobs see this.
  const url = projectOf(root, remoteOf(settings)).projectUrl;
  if (url !== undefined) await git(to.target, ['config', 'remote.origin.url', `${url}.git`]);
  return !partial || to.depth === 1
    ? []
    : ['this is a partial clone: the job gets its commit without the history'];
}

const isPartial = (settings: Settings): boolean =>
  [...settings].some(([key, value]) => /^remote\..*\.promisor$/.test(key) && value !== 'false') ||
  settings.has('extensions.partialclone');

async function fetchCommit(
  root: string,
  wanted: readonly string[],
  to: { target: string; depth: number | undefined },
): Promise<void> {
  const depth = to.depth === undefined ? [] : [`--depth=${to.depth}`];
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--update-shallow',
    ...depth,
    UPLOAD_PACK,
    '--',
    root,
    ...wanted,
  ];
  const fetched = await tryGit(to.target, [...NO_HOUSEKEEPING, ...args]);
  if (/not our ref|unadvertised object/.test(fetched.stderr)) {
    throw new GitFault('UNKNOWN_REF', `there is no commit ${wanted[0]} in ${root}`, {
      next: 'git log --all lists the commits.',
    });
  }
  if (fetched.code !== 0) throw gitFault(root, 'fetch', fetched.stderr);
}
