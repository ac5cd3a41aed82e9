import { messageOf } from '@updraft/kit';
import { expandAsRunner } from '@updraft/gitlab-ci';
import type { Cache } from '@updraft/gitlab-ci';
import { isWanted, selectExpanded } from '../artifacts.ts';
import type { Ended } from '../artifacts.ts';
import type { JobLog } from '../log.ts';
import type { Workspace } from '../workspace.ts';
import { cacheKeys } from './keys.ts';
import type { CacheKeys } from './keys.ts';
import type { CacheStore, SaveResult } from './store.ts';

/** Where a job's caches are, and what it may call them by. */
export interface CachePlace {
  readonly store: CacheStore;
  /** The project whose caches they are. */
  readonly project: string;
  readonly workspace: Workspace;
  readonly values: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly now: () => number;
}

/** A cache of a job whose key is known. */
export interface PlannedCache extends CacheKeys {
  readonly cache: Cache;
  readonly pull: boolean;
  readonly push: boolean;
}

/** Works out the keys, then unpacks each cache that is there. Nothing about a cache fails a job. */
export async function restoreCaches(
  place: CachePlace,
  caches: readonly Cache[],
): Promise<readonly PlannedCache[]> {
  const planned: PlannedCache[] = [];
  for (const cache of caches) {
    await tolerantly(place.log, 'restored', async () => {
      const plan = await planCache(place, cache);
      planned.push(plan);
      if (plan.pull) await restoreOne(place, plan);
    });
  }
  return planned;
}

async function planCache(place: CachePlace, cache: Cache): Promise<PlannedCache> {
  const policy = expandAsRunner(cache.policy, place.values) || 'pull-push';
  if (!['pull', 'push', 'pull-push'].includes(policy)) {
    place.log.warning(`cache:policy: ${policy} is neither pull, push nor pull-push; pull-push is taken`);
  }
  const keys = await cacheKeys(cache, place.workspace.dir, place.values);
  return { cache, ...keys, pull: policy !== 'push', push: policy !== 'pull' };
}

async function restoreOne(place: CachePlace, { key, candidates }: PlannedCache): Promise<void> {
  for (const candidate of candidates) {
    if (await place.store.restore(place.project, candidate, place.workspace.dir, place.now())) {
      place.log.line(`Restored the cache ${candidate}`);
      return;
    }
  }
  place.log.line(`No cache for the key ${key} yet`);
}

/** Packs each cache that is to be pushed after this outcome. */
export async function saveCaches(
  place: CachePlace,
  planned: readonly PlannedCache[],
  ended: Ended,
): Promise<void> {
  for (const { cache, key, push } of planned) {
    if (!push || !isWanted(cache.when, ended.outcome)) continue;
    await tolerantly(place.log, 'saved', async () => {
      const { paths, untracked } = cache;
      const files = await selectExpanded(ended, { paths, untracked, what: 'the cache' });
      if (files.length === 0) return;
      const at = { project: place.project, key, now: place.now() };
      said(place.log, { key, files: files.length }, await place.store.save(at, place.workspace.dir, files));
    });
  }
}

function said(log: JobLog, { key, files }: { key: string; files: number }, result: SaveResult): void {
  if (result.kind === 'unchanged') log.line(`The cache ${key} is up to date`);
  if (result.kind === 'tooLarge') {
    log.warning(`the cache ${key} is not saved: ${megabytes(result.bytes)} is more than one cache may have`);
  }
  if (result.kind !== 'saved') return;
  log.line(`Saved ${files} files to the cache ${key} (${megabytes(result.bytes)})`);
  if (result.evicted.length > 0) {
    log.line(
      `Removed the caches not used for longest, to keep within the limit: ${result.evicted.join(', ')}`,
    );
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

async function tolerantly(log: JobLog, doing: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warning(`a cache could not be ${doing}: ${messageOf(error)}`);
  }
}
