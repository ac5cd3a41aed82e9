import { silentLogger, systemClock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openImageStore } from '../store/store.ts';
import type { LocalImageStore } from '../store/store.ts';

export interface TemporaryStore {
  readonly store: LocalImageStore;
  readonly dir: string;
  /** Closes the store and removes its folder. */
  remove(): Promise<void>;
}

/** A real, empty store in a temporary folder. */
export async function temporaryStore(options: { clock?: Clock } = {}): Promise<TemporaryStore> {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-store-'));
  const store = await openImageStore(dir, { clock: options.clock ?? systemClock, logger: silentLogger });
  return {
    store,
    dir,
    async remove() {
      store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
