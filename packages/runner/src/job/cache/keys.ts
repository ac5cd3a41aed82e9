import { createHash } from 'node:crypto';
import { run } from '@updraft/kit';
import { expandAsRunner } from '@updraft/gitlab-ci';
import type { Cache } from '@updraft/gitlab-ci';
import { UnreadableReport, readPlainFile } from '../reports/plain-file.ts';

type Values = Readonly<Record<string, string>>;

const LARGEST_FILE = 256 * 1024 * 1024;

/** What a cache is called: the name it is saved by, and the names it is looked for, in order. */
export interface CacheKeys {
  readonly key: string;
  readonly candidates: readonly string[];
}

/**
 * The keys of a cache as the job starts: later changes to the files that they are made of count for the next job.
 * Protected refs have caches of their own, unless the job says otherwise.
 */
export async function cacheKeys(cache: Cache, workspace: string, values: Values): Promise<CacheKeys> {
  const name = (await baseKey(cache, workspace, values)) || 'default';
  const suffix = cache.unprotect ? '' : suffixOf(values);
  const key = `${name}${suffix}`;
  const fallbacks = cache.fallbackKeys.map((text) => expandAsRunner(text, values)).filter(Boolean);
  const last = values['CACHE_FALLBACK_KEY'];
  const candidates = [key, ...fallbacks.map((text) => `${text}${suffix}`)];
  // GitLab lets nobody reach a protected ref's cache by this variable.
  if (last && !last.endsWith('-protected')) candidates.push(last);
  return { key, candidates: [...new Set(candidates)] };
}

const suffixOf = (values: Values): string =>
  values['CI_COMMIT_REF_PROTECTED'] === 'true' ? '-protected' : '-non_protected';

async function baseKey(cache: Cache, workspace: string, values: Values): Promise<string> {
  if (typeof cache.key === 'string') return expandAsRunner(cache.key, values);
  const files = cache.key.files.map((file) => expandAsRunner(file, values));
  const hash =
    cache.key.by === 'commits' ? await ofCommits(files, workspace) : await ofContents(files, workspace);
  const name = hash ?? 'default';
  return cache.key.prefix === undefined ? name : `${expandAsRunner(cache.key.prefix, values)}-${name}`;
}

/** undefined: none of the files is there. */
async function ofContents(files: readonly string[], workspace: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  let any = false;
  for (const file of files) {
    const content = await readPlainFile(workspace, file, LARGEST_FILE).catch((error: unknown) => {
      if (error instanceof UnreadableReport) return undefined;
      throw error;
    });
    if (content === undefined) continue;
    any = true;
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return any ? hash.digest('hex') : undefined;
}

/** The last commits that changed the files (`key:files_commits`). */
async function ofCommits(files: readonly string[], workspace: string): Promise<string | undefined> {
  const git = ['-c', `safe.directory=${workspace}`, '-C', workspace];
  const commits: string[] = [];
  for (const file of files) {
    const args = ['log', '-1', '--format=%H', '--', `:(literal)${file}`];
    const commit = (await run('git', [...git, ...args])).stdout.trim();
    if (commit !== '') commits.push(commit);
  }
  return commits.length === 0 ? undefined : createHash('sha256').update(commits.join('\n')).digest('hex');
}
