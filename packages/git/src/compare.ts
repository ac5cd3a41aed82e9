import { GitFault } from './faults.ts';
import { tryGit } from './git.ts';
import { changedFiles } from './repository.ts';

/** The names under which git may know what users call a branch: its own, origin's, then whatever git makes of it. */
export function revisionsOf(ref: string): readonly string[] {
  const name = ref.replace(/^refs\/heads\//, '');
  return [`refs/heads/${name}`, `refs/remotes/origin/${name}`, name].filter((one) => !one.startsWith('-'));
}

/**
 * Where the history of `sha` left that of `ref`: of the local branch or origin's, whichever is nearer, because a local
 * branch may lie behind. Undefined when they have nothing in common here (a shallow clone, an unrelated history).
 * @throws GitFault UNKNOWN_REF
 */
export async function mergeBase(dir: string, sha: string, ref: string): Promise<string | undefined> {
  const known = await Promise.all(revisionsOf(ref).map((revision) => commitId(dir, revision)));
  const [local, remote, other] = known;
  const others = [local, remote].filter((id) => id !== undefined);
  if (others.length === 0 && other !== undefined) others.push(other);
  if (others.length === 0) {
    throw new GitFault(
      'UNKNOWN_REF',
      `there is no branch, tag or commit ${JSON.stringify(ref)} to compare with`,
      {
        next: 'git branch -a lists the branches; git fetch origin brings those of the remote.',
      },
    );
  }
  const found = await tryGit(dir, ['merge-base', sha, ...others]);
  return found.code === 0 ? found.stdout.trim() : undefined;
}

/**
 * Paths that `sha` changed since it left `ref` (what `git diff REF...SHA` shows), old names of renamed files included.
 * Undefined when the two have nothing in common.
 * @throws GitFault UNKNOWN_REF
 */
export async function changedSince(
  dir: string,
  sha: string,
  ref: string,
): Promise<readonly string[] | undefined> {
  const base = await mergeBase(dir, sha, ref);
  return base === undefined ? undefined : changedFiles(dir, base, sha);
}

async function commitId(dir: string, revision: string): Promise<string | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const result = await tryGit(dir, args);
  return result.code === 0 ? result.stdout.trim() : undefined;
}
