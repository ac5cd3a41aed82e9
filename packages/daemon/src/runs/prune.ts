import { rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, runOrThrow } from '@updraft/kit';
import type { Prune, Pruned } from '@updraft/control';
import type { Platform } from '../platform.ts';
import { RequestError } from '../server/router.ts';

/** `artifacts:expire_in` is meant in hours and days. */
const SWEEP_EVERY_MS = 3_600_000;

/** Removes what runs have left, and the caches when asked to. Runs that go on keep theirs. */
export async function prune({ runner, config }: Platform, asked: Prune): Promise<Pruned> {
  if (asked.caches && runner.active().length > 0) {
    throw new RequestError(409, 'RUNS_ACTIVE', 'caches stay while runs go on: their jobs use them', {
      next: 'updraft runs shows which; updraft cancel ends one.',
    });
  }
  const dir = path.join(config.home, 'runner');
  const before = await sizeOf(dir);
  const { runs } = await runner.sweep(Math.max(0, asked.keepRuns));
  if (asked.caches) await rm(path.join(dir, 'caches'), { recursive: true, force: true });
  return { runs, bytes: Math.max(0, before - (await sizeOf(dir))) };
}

async function sizeOf(dir: string): Promise<number> {
  const text = await runOrThrow('du', ['--summarize', '--block-size=1', '--', dir]);
  return Number.parseInt(text, 10);
}

/** `artifacts:expire_in` and the files of old runs, now and every hour. @returns what ends it */
export function startSweeping({ runner, clock, logger }: Platform): () => void {
  let cancel = () => undefined as void;
  const sweep = async () => {
    try {
      const swept = await runner.sweep();
      if (swept.runs + swept.archives > 0) logger.log('info', 'swept old runs and artifacts', swept);
    } catch (error) {
      logger.log('warn', 'old artifacts could not be removed', { error: messageOf(error) });
    }
    cancel = clock.timer(SWEEP_EVERY_MS, () => void sweep());
  };
  void sweep();
  return () => cancel();
}
