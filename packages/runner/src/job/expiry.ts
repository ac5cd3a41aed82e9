import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, readTextIfPresent } from '@updraft/kit';
import { ARCHIVE, ARTIFACTS_RECORD } from './artifacts.ts';
import type { ArtifactsRecord } from './outcome.ts';

/** Of archives whose record is missing: the runner was ended between the two. */
const WITHOUT_RECORD_MS = 30 * 24 * 3600 * 1000;

/**
 * Removes the artifacts whose time is over below a folder of runs (`<run>/<job>/artifacts.tar`); their records stay.
 * Safe at any time, also beside jobs that run. @returns how many archives went, and their bytes
 */
export async function expireArtifacts(
  runsDir: string,
  now: number,
): Promise<{ readonly removed: number; readonly bytes: number }> {
  let removed = 0;
  let bytes = 0;
  for (const run of await entries(runsDir)) {
    for (const job of await entries(path.join(runsDir, run))) {
      const dir = path.join(runsDir, run, job);
      const archive = await stat(path.join(dir, ARCHIVE)).catch(() => undefined);
      if (!archive || !isOver(await recordOf(dir), archive.mtimeMs, now)) continue;
      await rm(path.join(dir, ARCHIVE), { force: true });
      removed += 1;
      bytes += archive.size;
    }
  }
  return { removed, bytes };
}

function isOver(record: ArtifactsRecord | undefined, writtenAt: number, now: number): boolean {
  if (!record) return now - writtenAt > WITHOUT_RECORD_MS;
  return record.expiresAt !== undefined && record.expiresAt <= now;
}

async function recordOf(dir: string): Promise<ArtifactsRecord | undefined> {
  const text = await readTextIfPresent(path.join(dir, ARTIFACTS_RECORD));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ArtifactsRecord);
  } catch {
    return undefined;
  }
}

async function entries(dir: string): Promise<readonly string[]> {
  try {
    return (await readdir(dir, { withFileTypes: true })).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
