import { run, start } from '@updraft/kit';
import type { RunOptions, RunResult } from '@updraft/kit';
import type { Readable } from 'node:stream';
import { gitFault, startFault } from './faults.ts';

/**
 * Reading must leave the repository as it is: no index refresh, no lazy fetch, no prompt; and no replacement of
 * programs by the repository's own settings.
 */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_PAGER: 'cat',
};

/** Settings of a repository that could start programs: switched off, because the repository may not be ours. */
const SAFE_SETTINGS = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.quotePath=false',
];

export interface GitOptions extends Pick<RunOptions, 'input' | 'maxOutputBytes' | 'signal'> {
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs git and hands back how it ended. */
export async function tryGit(
  dir: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<RunResult> {
  try {
    return await run('git', [...SAFE_SETTINGS, ...args], {
      ...options,
      cwd: dir,
      env: { ...ENVIRONMENT, ...options.env },
    });
  } catch (error) {
    throw startFault(dir, error);
  }
}

/** Runs git, which has to succeed, for its output. */
export async function git(dir: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const result = await tryGit(dir, args, options);
  if (result.code !== 0) throw gitFault(dir, args[0] ?? '', result.stderr);
  return result.stdout;
}

/** Like `git`, for output that is not text. */
export async function gitBytes(
  dir: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  try {
    const running = await start('git', [...SAFE_SETTINGS, ...args], {
      cwd: dir,
      env: { ...ENVIRONMENT, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.stdin?.on('error', () => undefined);
    running.stdin?.end(input);
    const [out, said, exit] = await Promise.all([
      bytesOf(running.stdout),
      bytesOf(running.stderr),
      running.exited,
    ]);
    if (exit.code !== 0) throw gitFault(dir, args[0] ?? '', said.toString('utf8'));
    return out;
  } catch (error) {
    throw startFault(dir, error);
  }
}

async function bytesOf(stream: Readable | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
