import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { GitFault, gitFault } from './faults.ts';
import { git, tryGit } from './git.ts';
import { projectOf } from './project.ts';
import { findRepository } from './repository.ts';

export interface CheckoutOptions {
  /** So many commits of history, as GitLab's GIT_DEPTH; default all. */
  readonly depth?: number;
}

const NO_HOUSEKEEPING = ['-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'transfer.unpackLimit=1'];

/** Asks for a commit that may be no branch's tip. A constant: git hands it to a shell. */
const UPLOAD_PACK = '--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack';

/**
 * Puts the files of a commit into `target`, with a `.git` of its own in which `git log`, `diff` and `describe` work:
 * HEAD is detached at the commit, branches are `origin/*`, tags are tags. Objects are copied, never linked or
 * shared: whoever may write to `target` cannot reach `dir`, which is only read. `target` must not exist or be empty;
 * after a failure it is gone.
 * @throws GitFault UNKNOWN_REF when the commit is not there
 */
export async function checkout(
  dir: string,
  sha: string,
  target: string,
  options: CheckoutOptions = {},
): Promise<void> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) {
    throw new GitFault('UNKNOWN_REF', `${JSON.stringify(sha)} is not the full id of a commit`);
  }
  const root = await findRepository(dir);
  await mkdir(target, { recursive: true });
  try {
    await copyHistory(root, sha, { target, ...options });
    await git(target, [...NO_HOUSEKEEPING, 'checkout', '--quiet', '--detach', sha]);
    await rm(path.join(target, '.git/FETCH_HEAD'), { force: true });
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

async function copyHistory(
  root: string,
  sha: string,
  to: CheckoutOptions & { target: string },
): Promise<void> {
  const format = sha.length === 64 ? ['--object-format=sha256'] : [];
  const [remote] = await Promise.all([
    tryGit(root, ['config', '--get', 'remote.origin.url']),
    git(to.target, ['init', '--quiet', '--template=', ...format, '.']),
  ]);
  const depth = to.depth === undefined ? [] : [`--depth=${to.depth}`];
  const refs = [sha, '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--update-shallow',
    ...depth,
    UPLOAD_PACK,
    `file://${root}`,
    ...refs,
  ];
  const fetched = await tryGit(to.target, [...NO_HOUSEKEEPING, ...args]);
  if (/not our ref|unadvertised object/.test(fetched.stderr)) {
    throw new GitFault('UNKNOWN_REF', `there is no commit ${sha} in ${root}`, {
      next: 'git log --all lists the commits.',
    });
  }
  if (fetched.code !== 0) throw gitFault(root, 'fetch', fetched.stderr);
  // Without user and password: jobs see this.
  const url = projectOf(root, remote.stdout.trim() || undefined).projectUrl;
  if (url !== undefined) await git(to.target, ['config', 'remote.origin.url', `${url}.git`]);
}
