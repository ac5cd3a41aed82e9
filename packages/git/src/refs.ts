import { git } from './git.ts';
import type { Settings } from './settings.ts';

export interface Refs {
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

export async function readRefs(dir: string): Promise<Refs> {
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

/** For a commit without a branch's name: a branch whose tip it is, else its short id. */
export function branchAt(refs: Refs, sha: string): string {
  const tips = [...refs.branches, ...refs.remoteBranches]
    .filter(([, tip]) => tip === sha)
    .map(([name]) => name);
  const known = ['main', 'master', refs.originHead].find((name) => name !== undefined && tips.includes(name));
  return known ?? tips[0] ?? sha.slice(0, 8);
}

/** origin's default branch, else the usual names, else the only branch, else what git would call a new one. */
export function defaultBranch(refs: Refs, settings: Settings): string {
  const has = (name: string | undefined): name is string =>
    name !== undefined && (refs.branches.has(name) || refs.remoteBranches.has(name));
  const usual = [refs.originHead, settings.get('init.defaultbranch'), 'main', 'master'].find(has);
  if (usual !== undefined) return usual;
  const [only, ...others] = refs.branches.keys();
  return only !== undefined && others.length === 0 ? only : (refs.head ?? 'main');
}
