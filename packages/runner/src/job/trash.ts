import { rename, rm } from 'node:fs/promises';

let last: Promise<void> = Promise.resolve();

/**
 * Takes a folder away from its place at once and removes it later, one after the other: whoever waits for a job does
 * not wait for the thousands of files it wrote. What a dying process leaves is removed by the next one's start, which
 * clears the folder above.
 */
export async function discard(folder: string): Promise<void> {
  const gone = `${folder}.gone`;
  await rename(folder, gone);
  const before = last;
  last = (async () => {
    await before;
    // A file that cannot be removed now stays for the next start: no job is to fail for it.
    await rm(gone, { recursive: true, force: true }).catch(() => undefined);
  })();
}

/** Resolves when everything discarded so far is gone. */
export const emptied = (): Promise<void> => last;
