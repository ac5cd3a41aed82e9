import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { resolveInRoot, run } from '@updraft/kit';
import { BuildFailure } from '../failure.ts';
import { statusOf } from '../files/merged-root.ts';
import type { GitReference } from './reference.ts';

/** Nothing of this machine's settings, keys or helpers is used, and nobody is asked for a password. */
const HERMETIC = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: 'http:https:git:ssh',
  GIT_LFS_SKIP_SMUDGE: '1',
  HOME: '/nonexistent',
};
const KNOWN_HOSTS =
  'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null';

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export interface GitTools {
  readonly signal: AbortSignal;
  /** Socket of the agent that `ssh://` remotes are asked with. */
  readonly sshAgent: string | undefined;
  /** For HTTP. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

/** By the environment: a command line is seen by all. */
function signedIn({ credentials }: GitTools): Record<string, string> {
  if (!credentials) return {};
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}

async function git(args: readonly string[], tools: GitTools, cwd = '/'): Promise<string> {
  const env = {
    ...HERMETIC,
    GIT_SSH_COMMAND: KNOWN_HOSTS,
    ...signedIn(tools),
    ...(tools.sshAgent === undefined ? {} : { SSH_AUTH_SOCK: tools.sshAgent }),
  };
  const fixed = [
    '-c',
    'protocol.file.allow=never',
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'advice.detachedHead=false',
  ];
  const result = await run('git', [...fixed, ...args], { cwd, env, signal: tools.signal });
  if (result.code === 0) return result.stdout;
  throw new BuildFailure(`git ${args[0] ?? ''}: ${result.stderr.trim().split('\n').slice(-3).join('; ')}`);
}

/** The commit that a reference means now. @throws BuildFailure */
export async function findCommit(reference: GitReference, tools: GitTools): Promise<string> {
  const found = await refCommit(reference, tools);
  const { commit } = reference;
  if (commit === undefined || found.startsWith(commit)) return found;
  throw new BuildFailure(`${reference.remote} ${reference.ref ?? ''} is ${found}, not ${commit}`);
}

async function refCommit({ remote, ref }: GitReference, tools: GitTools): Promise<string> {
  if (ref !== undefined && COMMIT.test(ref)) return ref;
  const listed = await git(['ls-remote', '--', remote], tools);
  const commits = new Map(
    listed.split('\n').map((line) => {
      const [commit = '', name = ''] = line.split('\t');
      return [name, commit];
    }),
  );
  if (ref === undefined) return commits.get('HEAD') ?? noRef(remote, 'HEAD');
  // An annotated tag has a line of its own for the commit it stands for.
  const names = [ref, `refs/heads/${ref}`, `refs/tags/${ref}`].flatMap((name) => [`${name}^{}`, name]);
  const known = names.map((name) => commits.get(name)).find((commit) => commit !== undefined);
  if (known !== undefined) return known;
  const short = /^[0-9a-f]{7,}$/.test(ref)
    ? [...commits.values()].find((each) => each.startsWith(ref))
    : undefined;
  return short ?? noRef(remote, ref);
}

function noRef(remote: string, ref: string): never {
  throw new BuildFailure(`${remote} has no ${ref}`);
}

/**
 * Checks a commit out below `folder`. @returns the folder that the reference means, links followed inside the repository.
 * @throws BuildFailure
 */
export async function checkOut(
  reference: GitReference,
  commit: string,
  { folder, keepGitDir, tools }: { folder: string; keepGitDir: boolean; tools: GitTools },
): Promise<string> {
  const work = path.join(folder, 'git');
  await mkdir(work);
  await git(['init', '--quiet', '--initial-branch=main', work], tools);
  await git(['-C', work, 'remote', 'add', 'origin', '--', reference.remote], tools);
  await fetchCommit(reference, commit, work, tools);
  await git(['-C', work, 'checkout', '--quiet', '--force', commit], tools);
  if (reference.submodules && (await statusOf(path.join(work, '.gitmodules'))) !== undefined) {
    await git(['-C', work, 'submodule', 'update', '--init', '--recursive', '--depth=1'], tools);
  }
  if (!keepGitDir) await rm(path.join(work, '.git'), { recursive: true });
  const start = await resolveInRoot(work, reference.folder ?? '');
  if ((await statusOf(start))?.isDirectory() === true) return start;
  throw new BuildFailure(`${reference.remote} has no folder ${reference.folder ?? ''} at ${commit}`);
}

/** Alone when the server gives single commits, else with all there is: some know only branches, some no shallow fetch. */
async function fetchCommit(
  reference: GitReference,
  commit: string,
  work: string,
  tools: GitTools,
): Promise<void> {
  const attempts = [
    ['--depth=1', 'origin', commit],
    ['--tags', '--force', 'origin', '+refs/heads/*:refs/remotes/origin/*'],
  ];
  const failures: unknown[] = [];
  for (const attempt of attempts) {
    try {
      await git(['-C', work, 'fetch', '--quiet', '--no-recurse-submodules', ...attempt], tools);
      return;
    } catch (error) {
      tools.signal.throwIfAborted();
      failures.push(error);
    }
  }
  throw failures.at(-1);
}
