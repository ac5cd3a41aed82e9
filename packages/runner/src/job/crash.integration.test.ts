import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { start, systemClock } from '@updraft/kit';
import { endOrphans } from '../runs/orphans.ts';
import { clearJobFolders } from './clear-jobs.ts';
import { CacheStore } from './cache/store.ts';
import { unpackFiles } from './files.ts';

const PROGRAM = fileURLToPath(new URL('testing/crash-program.ts', import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'updraft-crash-'));
});
afterEach(() => {
  clear();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs jobs in a process of its own and kills it after a while, as power would. */
async function crash(afterMs: number, last = 'true'): Promise<void> {
  const child = await start(process.execPath, ['--import', 'tsx', PROGRAM, dir, last], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer];
  await systemClock.sleep(afterMs);
  child.kill('SIGKILL');
  await child.exited;
  rmSync(line.toString().trim(), { recursive: true, force: true });
}

/** What the next runner's start does. */
function clear(): number {
  const jobs = path.join(dir, 'state/jobs');
  const ended = endOrphans(jobs);
  clearJobFolders(jobs);
  return ended;
}

/** The numbers that stand in the files of a folder. */
function numbersIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name !== 'large');
  expect(names).toHaveLength(200);
  return [...new Set(names.map((name) => readFileSync(path.join(folder, name), 'utf8')))];
}

test('the next start ends what a killed runner’s jobs left: processes, mounts, folders', async () => {
  const jobs = path.join(dir, 'state/jobs');
  await crash(600, 'sleep 300');
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(jobs);
  expect(clear()).toBeGreaterThan(0);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(jobs);
  expect(existsSync(jobs)).toBe(false);
  expect(clear()).toBe(0);
});

test('a runner that is killed at any time leaves caches and artifacts of one job, whole, or none', async () => {
  let found = 0;
  for (const [index, afterMs] of [350, 560, 730, 910].entries()) {
    await crash(afterMs);
    clear();
    const restored = path.join(dir, `cache-${index}`);
    mkdirSync(restored);
    const store = new CacheStore(path.join(dir, 'state/caches'));
    if (await store.restore('/project', 'k', restored, 0)) {
      found += 1;
      expect(numbersIn(path.join(restored, 'deps'))).toHaveLength(1);
    }
    const archive = path.join(dir, 'output/artifacts.tar');
    if (!existsSync(archive)) continue;
    const unpacked = path.join(dir, `artifacts-${index}`);
    mkdirSync(unpacked);
    expect(await unpackFiles(archive, unpacked)).toEqual({ leftOut: 0 });
    expect(numbersIn(path.join(unpacked, 'deps'))).toHaveLength(1);
  }
  expect(found).toBeGreaterThan(0);
});
