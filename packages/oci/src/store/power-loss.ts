import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { StoreFolders } from './folders.ts';

/** The machine's present run, from one start to the next. */
export interface Boot {
  readonly id: string;
  readonly startedMs: number;
}

/** Longer than a kernel keeps what was written before it goes to the disk (30 s to begin with). */
const UNWRITTEN_MS = 60_000;

export async function thisBoot(): Promise<Boot> {
  const id = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const [, seconds] = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8')) ?? [];
  return { id, startedMs: Number(seconds) * 1000 };
}

/**
 * What a machine that went off at once may not have written. Blobs prove themselves when they are read; the folders of
 * layers are used as they are, so those that were made last before this start of the machine are taken away: they are
 * unpacked again from their blobs when they are needed. In exchange nothing in the store waits for the disk.
 */
export async function dropUnwritten(
  folders: StoreFolders,
  boot: Boot,
  unwrittenMs = UNWRITTEN_MS,
): Promise<void> {
  const mark = path.join(folders.dir, 'boot');
  const last = await readTextIfPresent(mark);
  if (last === boot.id) return;
  if (last !== undefined) {
    const before = (await layersWithTimes(folders.layers)).filter(({ madeMs }) => madeMs < boot.startedMs);
    const newest = Math.max(...before.map(({ madeMs }) => madeMs));
    for (const { name, madeMs } of before) {
      if (madeMs > newest - unwrittenMs) await remove(folders, name);
    }
  }
  await writeFileAtomic(mark, boot.id);
}

async function layersWithTimes(layers: string): Promise<{ name: string; madeMs: number }[]> {
  const names = await readdir(layers);
  return await Promise.all(
    // The time that its move to this place has set.
    names.map(async (name) => ({ name, madeMs: (await stat(path.join(layers, name))).ctimeMs })),
  );
}

/** Never seen half gone. */
async function remove(folders: StoreFolders, name: string): Promise<void> {
  const doomed = path.join(folders.tmp, `unwritten-${name}`);
  await rename(path.join(folders.layers, name), doomed);
  await rm(doomed, { recursive: true, force: true });
}
