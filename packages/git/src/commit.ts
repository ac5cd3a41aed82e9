import { GitFault, gitFault } from './faults.ts';
import { git, tryGit } from './git.ts';
import { projectOf } from './project.ts';
import type { ProjectFacts } from './project.ts';
import { findRepository, splitZero } from './repository.ts';

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
}

export interface CommitSelection {
  /** A branch, or any commit; a name of no branch is taken as one at that commit. Default: what is checked out. */
  readonly ref?: string;
  /** A tag: the pipeline is the tag's. */
  readonly tag?: string;
}

const NO_COMMIT = '0'.repeat(40);

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
  return {
    ...described,
    branch,
    tag: selection.tag,
    tagMessage: selection.tag === undefined ? undefined : refs.tagMessages.get(selection.tag),
    defaultBranch: defaultBranch(refs, settings),
    userName: settings.get('user.name') ?? described.userName,
    userEmail: settings.get('user.email') ?? described.userEmail,
    ...projectOf(root, remoteOf(settings)),
    // The parent stands for the last push of a branch; nothing was pushed before a tag.
    ...(selection.tag === undefined ? {} : { beforeSha: NO_COMMIT, changedPaths: undefined }),
  };
}

function wantedRevision({ ref, tag }: CommitSelection): readonly string[] {
  if (tag !== undefined) return [`refs/tags/${tag}`];
  if (ref === undefined) return ['HEAD'];
  const name = ref.replace(/^refs\/heads\//, '');
  return [`refs/heads/${name}`, `refs/remotes/origin/${name}`, name];
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
    if (revision.startsWith('-')) continue;
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

interface Refs {
  /** Checked out; undefined when HEAD is detached. */
  readonly head: string | undefined;
  /** Local branches and their commits. */
  readonly branches: ReadonlyMap<string, string>;
  /** Branches of origin. */
  readonly remoteBranches: ReadonlyMap<string, string>;
  readonly originHead: string | undefined;
  /** Messages of annotated tags. */
  readonly tagMessages: ReadonlyMap<string, string>;
}

const REF_FORMAT = '%(refname)%00%(objectname)%00%(symref)%00%(HEAD)%00%(objecttype)%00%(contents)%00%01';

async function readRefs(dir: string): Promise<Refs> {
  const args = ['for-each-ref', `--format=${REF_FORMAT}`, 'refs/heads', 'refs/remotes/origin', 'refs/tags'];
  const refs = (await git(dir, args)).split('\0\u0001\n').map(parseRef);
  const named = (kind: string) => refs.filter((ref) => ref.kind === kind);
  const commits = (kind: string) => new Map(named(kind).map(({ name, sha }) => [name, sha]));
  const remoteBranches = commits('remotes/origin');
  remoteBranches.delete('HEAD');
  const originHead = named('remotes/origin').find(({ name }) => name === 'HEAD')?.target;
  return {
    head: named('heads').find(({ checkedOut }) => checkedOut)?.name,
    branches: commits('heads'),
    remoteBranches,
    originHead: originHead?.replace('refs/remotes/origin/', ''),
    tagMessages: new Map(
      named('tags')
        .filter(({ type }) => type === 'tag')
        .map(({ name, contents }) => [name, contents]),
    ),
  };
}

/** The fields of REF_FORMAT. */
function parseRef(line: string) {
  const [ref, sha, target, mark, type, contents] = line.split('\0').concat('', '', '', '', '', '') as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const [, kind = '', name = ''] = /^refs\/(heads|tags|remotes\/origin)\/(.*)$/.exec(ref) ?? [];
  return {
    kind,
    name,
    sha,
    target: target || undefined,
    checkedOut: mark === '*',
    type,
    contents: contents.trimEnd(),
  };
}

type Settings = ReadonlyMap<string, string>;

async function readSettings(dir: string): Promise<Settings> {
  const listed = await tryGit(dir, ['config', '--list', '-z', '--includes']);
  const settings = new Map<string, string>();
  for (const setting of splitZero(listed.stdout)) {
    const [key = '', ...value] = setting.split('\n');
    settings.set(key, value.join('\n'));
  }
  return settings;
}

function remoteOf(settings: ReadonlyMap<string, string>): string | undefined {
  const origin = settings.get('remote.origin.url');
  if (origin !== undefined) return origin;
  return [...settings].find(([key]) => /^remote\..+\.url$/.test(key))?.[1];
}

function branchOf({ ref }: CommitSelection, refs: Refs, sha: string): string {
  if (ref !== undefined) {
    const name = ref.replace(/^refs\/heads\//, '');
    if (refs.branches.has(name) || refs.remoteBranches.has(name)) return name;
    return /^(?:HEAD|[0-9a-f]{7,40})\b/.test(name) ? branchAt(refs, sha) : name;
  }
  return refs.head ?? branchAt(refs, sha);
}

/** For a commit without a branch's name: a branch whose tip it is, else its short id. */
function branchAt(refs: Refs, sha: string): string {
  const tips = [...refs.branches, ...refs.remoteBranches]
    .filter(([, tip]) => tip === sha)
    .map(([name]) => name);
  const known = ['main', 'master', refs.originHead].find((name) => name !== undefined && tips.includes(name));
  return known ?? tips[0] ?? sha.slice(0, 8);
}

/** origin's default branch, else the usual names, else the only branch, else what git would call a new one. */
function defaultBranch(refs: Refs, settings: Settings): string {
  const has = (name: string | undefined): name is string =>
    name !== undefined && (refs.branches.has(name) || refs.remoteBranches.has(name));
  const usual = [refs.originHead, settings.get('init.defaultbranch'), 'main', 'master'].find(has);
  if (usual !== undefined) return usual;
  const [only, ...others] = refs.branches.keys();
  return only !== undefined && others.length === 0 ? only : (refs.head ?? 'main');
}
