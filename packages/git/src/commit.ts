import { createHash } from 'node:crypto';
import { changedSince, mergeBase, revisionsOf } from './compare.ts';
import { GitFault, gitFault } from './faults.ts';
import { tryGit } from './git.ts';
import { projectOf } from './project.ts';
import type { ProjectFacts } from './project.ts';
import { branchAt, defaultBranch, readRefs } from './refs.ts';
import type { Refs } from './refs.ts';
import { changedFiles, findRepository, splitZero } from './repository.ts';
import { readSettings, remoteOf } from './settings.ts';

/** Facts about one commit, as gitlab-ci's CommitFacts has them. */
export interface Commit extends ProjectFacts {
  readonly sha: string;
  readonly beforeSha: string;
  readonly branch: string | undefined;
  readonly tag: string | undefined;
  readonly tagMessage: string | undefined;
  readonly message: string;
  readonly author: string;
  readonly timestamp: string;
  readonly defaultBranch: string;
  readonly userName: string;
  readonly userEmail: string;
  readonly changedPaths: readonly string[] | undefined;
  readonly mergeRequest?: MergeRequest;
  /** Whether this is what the work tree was made from: its changes then lie on top of this very commit. */
  readonly isCheckedOut: boolean;
}

/** The merge request that a source branch would make. */
export interface MergeRequest {
  /** Always the same for a branch. */
  readonly iid: number;
  readonly title: string;
  readonly sourceBranch: string;
  readonly targetBranch: string;
  /** Undefined when the branches have no commit in common here. */
  readonly diffBaseSha: string | undefined;
}

export interface CommitSelection {
  /** A branch, or any commit; a name of no branch is taken as one at that commit. Default: what is checked out. */
  readonly ref?: string;
  /** A tag: the pipeline is the tag's. */
  readonly tag?: string;
  /** How the pipeline was started (CI_PIPELINE_SOURCE), which decides what the commit is compared with. Default `push`. */
  readonly source?: string;
  /** Of a merge request; default: the default branch. */
  readonly target?: string;
  /** Compare with the merge base of this instead, whatever the source. */
  readonly compareTo?: string;
}

const NO_COMMIT = '0'.repeat(40);

/** Sources of which GitLab knows the commit before; all others but merge requests have nothing to compare with. */
const PUSHES: readonly string[] = ['push', 'webide', 'parent_pipeline'];

/**
 * Reads the facts. A checked-out branch makes a branch pipeline; a detached HEAD is taken for the branch whose tip
 * it is, else for a branch named by its short id. Never a tag that was not asked for.
 * @throws GitFault NOT_A_REPOSITORY, NO_COMMITS, UNKNOWN_REF, GIT_MISSING, DUBIOUS_OWNERSHIP
 */
export async function readCommit(dir: string, selection: CommitSelection = {}): Promise<Commit> {
  const wanted = wantedRevision(selection);
  const root = await findRepository(dir);
  const [refs, settings, described] = await Promise.all([
    readRefs(dir),
    readSettings(dir),
    describe(dir, wanted),
  ]);
  if (described === undefined) throw await missing(dir, selection);
  const branch = selection.tag === undefined ? branchOf(selection, refs, described.sha) : undefined;
  const commit = {
    ...described,
    branch,
    tag: selection.tag,
    tagMessage: selection.tag === undefined ? undefined : refs.tagMessages.get(selection.tag),
    defaultBranch: defaultBranch(refs, settings),
    userName: settings.get('user.name') ?? described.userName,
    userEmail: settings.get('user.email') ?? described.userEmail,
    ...projectOf(root, remoteOf(settings)),
    isCheckedOut: isCheckedOut(selection, refs),
  };
  return { ...commit, ...(await comparison(dir, commit, selection)) };
}

const isCheckedOut = ({ ref, tag }: CommitSelection, refs: Refs): boolean =>
  tag === undefined && (ref === undefined || ref === 'HEAD' || branchName(ref) === refs.head);

const branchName = (ref: string): string => ref.replace(/^refs\/heads\//, '');

type Compared = Pick<Commit, 'beforeSha' | 'changedPaths' | 'mergeRequest'>;

/** What is said to have changed, by how the pipeline was started. The parent stands for a branch's last push. */
async function comparison(
  dir: string,
  commit: Omit<Commit, 'mergeRequest'>,
  selection: CommitSelection,
): Promise<Compared> {
  const { compareTo, source = 'push', tag } = selection;
  const told =
    compareTo === undefined ? {} : { changedPaths: await changedSince(dir, commit.sha, compareTo) };
  const unknown = { beforeSha: NO_COMMIT, changedPaths: undefined };
  if (source === 'merge_request_event' && tag === undefined) {
    return { ...unknown, ...(await readMergeRequest(dir, commit, selection)), ...told };
  }
  const isPush = tag === undefined && PUSHES.includes(source);
  const { beforeSha, changedPaths } = isPush ? commit : unknown;
  return { beforeSha, changedPaths, ...told };
}

async function readMergeRequest(
  dir: string,
  { sha, branch = '', message, defaultBranch: main }: Omit<Commit, 'mergeRequest'>,
  { target }: CommitSelection,
): Promise<Pick<Commit, 'changedPaths' | 'mergeRequest'>> {
  const targetBranch = branchName(target ?? main);
  const diffBaseSha = await mergeBase(dir, sha, targetBranch);
  return {
    changedPaths: diffBaseSha === undefined ? undefined : await changedFiles(dir, diffBaseSha, sha),
    mergeRequest: {
      iid: stableNumber(branch),
      title: message.split('\n', 1)[0] ?? '',
      sourceBranch: branch,
      targetBranch,
      diffBaseSha,
    },
  };
}

/** From 1 to 9999. */
const stableNumber = (text: string): number =>
  (createHash('sha256').update(text).digest().readUInt32BE(0) % 9999) + 1;

function wantedRevision({ ref, tag }: CommitSelection): readonly string[] {
  if (tag !== undefined) return [`refs/tags/${tag}`];
  return ref === undefined ? ['HEAD'] : revisionsOf(ref);
}

type Described = Pick<
  Commit,
  'sha' | 'beforeSha' | 'message' | 'author' | 'timestamp' | 'userName' | 'userEmail' | 'changedPaths'
>;

/** Facts, an end mark that no message can hold (git cuts messages at NUL), then the names of changed files. */
const FORMAT = '%H%x00%P%x00%an%x00%ae%x00%cI%x00%B%x00%x01';
const END = '\0\u0001';
const ONE_COMMIT = ['log', '-1', '-z', `--format=${FORMAT}`, '--no-show-signature', '--encoding=UTF-8'];
const WITH_NAMES = [
  '--diff-merges=first-parent',
  '--name-only',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
];

/** The first of the revisions that is a commit. */
async function describe(dir: string, revisions: readonly string[]): Promise<Described | undefined> {
  for (const revision of revisions) {
    const result = await tryGit(dir, [...ONE_COMMIT, ...WITH_NAMES, revision, '--']);
    if (result.code === 0) return parseCommit(result.stdout);
    // `bad revision` and its kin are answered by the caller, which knows what was asked for.
    if (/dubious ownership|not a git repository/i.test(result.stderr))
      throw gitFault(dir, 'log', result.stderr);
  }
  return undefined;
}

function parseCommit(output: string): Described {
  const end = output.indexOf(END);
  const [sha = '', parents = '', name = '', email = '', timestamp = '', ...rest] = output
    .slice(0, end)
    .split('\0');
  const beforeSha = parents.split(' ', 1)[0] || NO_COMMIT;
  const names = splitZero(output.slice(end + END.length).replace(/^\0\n?/, ''));
  return {
    sha,
    beforeSha,
    message: rest.join('\0'),
    author: `${name} <${email}>`,
    timestamp,
    userName: name,
    userEmail: email,
    // Nothing to compare with: the first commit, or the last one of a shallow clone.
    changedPaths: beforeSha === NO_COMMIT ? undefined : names,
  };
}

async function missing(dir: string, { ref, tag }: CommitSelection): Promise<GitFault> {
  const any = await tryGit(dir, ['rev-list', '-n', '1', '--all']);
  if (any.code === 0 && any.stdout.trim() === '') {
    return new GitFault('NO_COMMITS', `${dir} has no commit yet`, {
      next: 'Commit something first: git add . && git commit',
    });
  }
  const what = tag === undefined ? `branch or commit ${ref ?? 'HEAD'}` : `tag ${tag}`;
  return new GitFault('UNKNOWN_REF', `there is no ${what} in ${dir}`, {
    next: tag === undefined ? 'git branch -a lists the branches.' : 'git tag lists the tags.',
  });
}

function branchOf({ ref }: CommitSelection, refs: Refs, sha: string): string {
  if (ref !== undefined) {
    const name = branchName(ref);
    if (refs.branches.has(name) || refs.remoteBranches.has(name)) return name;
    return /^(?:HEAD|[0-9a-f]{7,40})\b/.test(name) ? branchAt(refs, sha) : name;
  }
  return refs.head ?? branchAt(refs, sha);
}
