import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import type { Cache } from '@updraft/gitlab-ci';
import { isWanted, untrackedFiles } from './artifacts.ts';
import { exists, keyFile, packFiles, selectFiles, unpackFiles } from './files.ts';
import type { JobLog } from './log.ts';
import type { Outcome } from './outcome.ts';
import type { Workspace } from './workspace.ts';
import type { Execution } from './execute.ts';

type Values = Readonly<Record<string, string>>;

/** Unpacks each cache that is there; a missing one is no failure. */
export async function restoreCaches(
  execution: Execution,
  workspace: Workspace,
  values: Values,
  log: JobLog,
): Promise<void> {
  for (const cache of execution.input.job.caches) {
    const policy = expandVariables(cache.policy, values);
    if (policy === 'push') continue;
    const keys = [
      await cacheKey(cache, workspace, values),
      ...cache.fallbackKeys.map((key) => expandVariables(key, values)),
    ];
    const found = await firstPresent(keys.map((key) => ({ key, file: cacheFile(execution, key) })));
    if (found === undefined) {
      log.line(`No cache for the key ${keys[0]} yet`);
      continue;
    }
    await unpackFiles(found.file, workspace.dir);
    log.line(`Restored the cache ${found.key}`);
  }
}

/** Packs each cache that is to be pushed after this outcome. */
export async function saveCaches(
  execution: Execution,
  workspace: Workspace,
  context: { values: Values; outcome: Outcome; log: JobLog },
): Promise<void> {
  for (const cache of execution.input.job.caches) {
    const policy = expandVariables(cache.policy, context.values);
    if (policy === 'pull' || !isWanted(cache.when, context.outcome)) continue;
    const untracked = cache.untracked ? await untrackedFiles(workspace) : [];
    const paths = cache.paths.map((pattern) => expandVariables(pattern, context.values));
    const { files } = await selectFiles(workspace.dir, { paths, exclude: [], untracked });
    if (files.length === 0) continue;
    const key = await cacheKey(cache, workspace, context.values);
    await packFiles(workspace.dir, files, cacheFile(execution, key));
    context.log.line(`Saved ${files.length} files to the cache ${key}`);
  }
}

function cacheFile(execution: Execution, key: string): string {
  const project = keyFile(execution.input.request.projectDir);
  return path.join(execution.config.dir, 'caches', project, `${keyFile(key)}.tar`);
}

/** The key as written and expanded, or the hash of the files that `key:files` names (`default` when none is there). */
async function cacheKey(cache: Cache, workspace: Workspace, values: Values): Promise<string> {
  if (typeof cache.key === 'string') return expandVariables(cache.key, values);
  const hash = createHash('sha256');
  let any = false;
  for (const file of cache.key.files) {
    const content = await readIfPresent(path.join(workspace.dir, expandVariables(file, values)));
    if (content === undefined) continue;
    any = true;
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  const name = any ? hash.digest('hex') : 'default';
  return cache.key.prefix === undefined ? name : `${expandVariables(cache.key.prefix, values)}-${name}`;
}

async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EISDIR' || codeOf(error) === 'ENOTDIR')
      return undefined;
    throw error;
  }
}

async function firstPresent<T extends { file: string }>(candidates: readonly T[]): Promise<T | undefined> {
  for (const candidate of candidates) {
    if (await exists(candidate.file)) return candidate;
  }
  return undefined;
}
