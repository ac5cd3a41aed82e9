import { BuildFailure } from '../failure.ts';

/** A Git repository as ADD and build contexts name it: `https://host/repo.git#ref:folder`. */
export interface GitReference {
  readonly remote: string;
  /** Branch, tag or commit; undefined: what the repository has checked out. */
  readonly ref: string | undefined;
  /** Commit that `ref` has to be. */
  readonly commit: string | undefined;
  readonly folder: string | undefined;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
}

const SCP = /^[\w.-]+@[\w.-]+:(?!\/\/)/;

/**
 * Reads a source; undefined when it names no repository. `bare`: also `github.com/owner/repo`, as contexts may.
 * @throws BuildFailure when it names one wrongly
 */
export function parseGitReference(text: string, options: { bare?: boolean } = {}): GitReference | undefined {
  const [address, fragment = ''] = cut(text, '#');
  const isBare = options.bare === true && /^github\.com\/[^/]+\/./.test(address);
  const url = isBare ? `https://${address}` : address;
  const isUrl = /^(https?|git|ssh):\/\//.test(url);
  if (!isUrl && !SCP.test(url)) return undefined;
  const [remote, query = ''] = cut(url, '?');
  if (/^https?:/.test(remote) && !isBare && !remote.endsWith('.git')) return undefined;
  const [ref, folder] = cut(fragment, ':');
  const asked = readQuery(text, query);
  return {
    remote: remote.replace(/^http:\/\/github\.com\//, 'https://github.com/'),
    ref: one(text, 'ref', [ref, asked.ref]) ?? asked.commit,
    commit: asked.commit,
    folder: one(text, 'subdir', [folder, asked.folder]),
    keepGitDir: asked.keepGitDir,
    submodules: asked.submodules,
  };
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)];
}

/** Two places may say the same thing, not different ones. */
function one(text: string, what: string, values: readonly (string | undefined)[]): string | undefined {
  const [first, second] = values.filter((value) => value !== undefined && value !== '');
  if (first !== undefined && second !== undefined && first !== second)
    throw new BuildFailure(`${text}: ${what} is both ${first} and ${second}`);
  return first;
}

const KNOWN = ['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'keep-git-dir', 'submodules'];

function readQuery(text: string, query: string) {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!KNOWN.includes(name)) throw new BuildFailure(`${text}: the query ${name} is not known`);
    if (fields.has(name)) throw new BuildFailure(`${text}: the query ${name} is given twice`);
    const needsValue = name !== 'keep-git-dir' && name !== 'submodules';
    if (value === '' && needsValue) throw new BuildFailure(`${text}: the query ${name} has no value`);
    fields.set(name, value);
  }
  const prefixed = (name: string, prefix: string) => {
    const value = fields.get(name);
    return value === undefined || value.startsWith(prefix) ? value : prefix + value;
  };
  const named = one(text, 'ref', [prefixed('tag', 'refs/tags/'), prefixed('branch', 'refs/heads/')]);
  return {
    ref: one(text, 'ref', [fields.get('ref'), named]),
    folder: fields.get('subdir'),
    commit: fields.get('commit') ?? fields.get('checksum'),
    keepGitDir: flag(text, 'keep-git-dir', fields.get('keep-git-dir')),
    submodules: flag(text, 'submodules', fields.get('submodules')) ?? true,
  };
}

function flag(text: string, name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (/^(|1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new BuildFailure(`${text}: ${name} is true or false, not ${value}`);
}
