import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import { GitFault } from './faults.ts';
import { gitBytes, tryGit } from './git.ts';
import { splitZero } from './repository.ts';
import { readSettings } from './settings.ts';

export interface RemoteOptions {
  /** Folder for what was fetched; shared by all projects. */
  readonly cacheDir: string;
  /** As git writes it. Credentials in it are handed to git in its environment, and appear in no message. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How old the list of branches and tags may be. */
  readonly maxAgeMs: number;
  /** Ask no network: only what was fetched before. */
  readonly offline?: boolean;
  /** Of the user: what ssh and credential helpers need (SSH_AUTH_SOCK). */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Branches and tags of a repository elsewhere; tags are those of the commits they lead to. */
export interface RemoteRefs {
  readonly head: string | undefined;
  readonly branches: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  /** When they were asked for. Older than allowed when the remote could not be reached. */
  readonly at: number;
}

/**
 * A repository on a server, read file by file: no history and no other file is fetched. Everything that was fetched
 * stays in the cache, and is enough when the server cannot be reached. Never asks for a password: credentials are
 * those the user's git knows. Safe to use at the same time by parts of one process.
 */
export interface RemoteRepository {
  /** @throws GitFault REMOTE_UNREACHABLE when it was never asked before either */
  refs(): Promise<RemoteRefs>;
  /**
   * Paths of all files of a commit.
   * @throws GitFault REMOTE_UNREACHABLE, UNKNOWN_REF
   */
  list(sha: string): Promise<readonly string[]>;
  /**
   * A file of a commit; undefined when it has none of this path, or none of at most 2 MiB.
   * @throws GitFault REMOTE_UNREACHABLE, UNKNOWN_REF
   */
  read(sha: string, file: string): Promise<string | undefined>;
}

const TIMEOUT_MS = 60_000;
const FILE_LIMIT_BYTES = 2 * 1024 * 1024;
const lock = new KeyedLock();

export function openRemote(options: RemoteOptions): RemoteRepository {
  const shown = options.url.replace(/^([a-z+]+:\/\/)[^@/]*@/i, '$1');
  const folder = path.join(
    options.cacheDir,
    `${createHash('sha256').update(shown).digest('hex').slice(0, 32)}.git`,
  );
  const remote = { ...options, shown, folder };
  return {
    refs: () => lock.use(folder, () => readRemoteRefs(remote)),
    list: (sha) =>
      lock.use(folder, async () => {
        await haveCommit(remote, sha);
        const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', sha];
        return splitZero((await ask(remote, args)).toString('utf8'));
      }),
    read: (sha, file) =>
      lock.use(folder, async () => {
        await haveCommit(remote, sha);
        return readBlob(remote, sha, file);
      }),
  };
}

interface Remote extends RemoteOptions {
  /** The address without credentials. */
  readonly shown: string;
  /** The bare repository that is the cache. */
  readonly folder: string;
}

async function readRemoteRefs(remote: Remote): Promise<RemoteRefs> {
  const file = `${remote.folder}.refs.json`;
  const kept = parseKept(await readTextIfPresent(file));
  if (kept && (remote.offline || remote.now - kept.at < remote.maxAgeMs)) return kept;
  if (remote.offline) throw unreachable(remote, 'no network may be asked, and it was never fetched before');
  const listed = await talk(remote, [
    'ls-remote',
    '--quiet',
    'origin',
    'HEAD',
    'refs/heads/*',
    'refs/tags/*',
  ]);
  if (listed.code !== 0) {
    if (kept) return kept;
    throw unreachable(remote, listed.stderr);
  }
  await writeFileAtomic(file, JSON.stringify({ at: remote.now, listed: listed.stdout }));
  return parseRefs(listed.stdout, remote.now);
}

function parseKept(text: string | undefined): RemoteRefs | undefined {
  try {
    const { at, listed } = JSON.parse(text ?? '') as { at?: unknown; listed?: unknown };
    return typeof at === 'number' && typeof listed === 'string' ? parseRefs(listed, at) : undefined;
  } catch {
    return undefined;
  }
}

function parseRefs(listed: string, at: number): RemoteRefs {
  const branches = new Map<string, string>();
  const tags = new Map<string, string>();
  let head: string | undefined;
  for (const line of listed.split('\n')) {
    const [sha = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD') head = sha;
    if (ref.startsWith('refs/heads/')) branches.set(ref.slice('refs/heads/'.length), sha);
    // `^{}` comes after its tag and is the commit the tag leads to.
    if (ref.startsWith('refs/tags/')) tags.set(ref.slice('refs/tags/'.length).replace(/\^\{\}$/, ''), sha);
  }
  return { head, branches, tags, at };
}

async function haveCommit(remote: Remote, sha: string): Promise<void> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) {
    throw new GitFault('UNKNOWN_REF', `${JSON.stringify(sha)} is not the full id of a commit`);
  }
  await mkdir(remote.folder, { recursive: true });
  const known = await talk(remote, ['cat-file', '-e', `${sha}^{tree}`], { GIT_NO_LAZY_FETCH: '1' });
  if (known.code === 0) return;
  if (remote.offline) throw unreachable(remote, 'no network may be asked, and it was never fetched before');
  const format = sha.length === 64 ? ['--object-format=sha256'] : [];
  await talk(remote, ['init', '--quiet', '--bare', '--template=', ...format, '.']);
  const shallow = ['--no-tags', '--no-write-fetch-head', '--depth=1', '--filter=blob:none'];
  const fetched = await talk(remote, ['fetch', '--quiet', ...shallow, 'origin', sha]);
  if (fetched.code === 0) return;
  if (/not our ref|unadvertised object|couldn't find remote ref/i.test(fetched.stderr)) {
    throw new GitFault('UNKNOWN_REF', `${remote.shown} has no commit ${sha}`);
  }
  throw unreachable(remote, fetched.stderr);
}

/** Asks for the size first: reading a file of a cache without files fetches it. */
async function readBlob(remote: Remote, sha: string, file: string): Promise<string | undefined> {
  const args = ['ls-tree', '-z', '--full-tree', sha, '--', `:(literal)${file}`];
  const entry = (await ask(remote, args)).toString('utf8');
  const [, id] = /^100\d{3} blob ([0-9a-f]+)\t/.exec(entry) ?? [];
  if (id === undefined) return undefined;
  const size = await talk(remote, ['cat-file', '-s', id]);
  if (size.code !== 0) throw unreachable(remote, size.stderr);
  if (Number(size.stdout) > FILE_LIMIT_BYTES) return undefined;
  return (await ask(remote, ['cat-file', 'blob', id])).toString('utf8');
}

async function ask(remote: Remote, args: readonly string[]): Promise<Buffer> {
  return gitBytes(remote.folder, args, '', await environmentOf(remote));
}

async function talk(remote: Remote, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await mkdir(remote.folder, { recursive: true });
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(remote.signal ? [remote.signal] : [])];
  try {
    return await tryGit(remote.folder, [...IMPATIENT, ...args], {
      env: { ...(await environmentOf(remote)), ...env },
      signal: AbortSignal.any(signals),
    });
  } catch (error) {
    remote.signal?.throwIfAborted();
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return {
        code: 1,
        signal: undefined,
        stdout: '',
        stderr: `it took more than ${TIMEOUT_MS / 1000} seconds`,
      };
    }
    throw error;
  }
}

const IMPATIENT = ['-c', 'http.lowSpeedLimit=100', '-c', 'http.lowSpeedTime=20', '-c', 'gc.auto=0'];

/**
 * The address is given here, not as an argument that every user of the machine could read; nothing is asked at a
 * terminal; and of all protocols only those that start no program of the address's choice.
 */
async function environmentOf(remote: Remote): Promise<Readonly<Record<string, string>>> {
  const { url, environment = {}, folder } = remote;
  const own = environment['GIT_SSH_COMMAND'] ?? (await readSettings(folder)).get('core.sshcommand');
  const ssh = own || 'ssh';
  return {
    ...environment,
    GIT_DIR: folder,
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'remote.origin.url',
    GIT_CONFIG_VALUE_0: url,
    GIT_CONFIG_KEY_1: 'core.askPass',
    GIT_CONFIG_VALUE_1: '',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:git:file',
    GIT_SSH_COMMAND: `${ssh} -o BatchMode=yes -o ConnectTimeout=10`,
    GIT_NO_LAZY_FETCH: '0',
  };
}

function unreachable(remote: Remote, said: string): GitFault {
  const why = said
    .replaceAll(remote.url, remote.shown)
    .trim()
    .split('\n')
    .map((line) => line.replace(/^fatal: /, '').trim())
    .filter((line) => line !== '')
    .slice(-3)
    .join('; ');
  return new GitFault('REMOTE_UNREACHABLE', `${remote.shown} cannot be read: ${why || 'git said nothing'}`, {
    next: 'See that `git ls-remote` can read it without asking for a password.',
  });
}
