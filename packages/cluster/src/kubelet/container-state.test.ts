import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { terminatedState } from './container-state.ts';
import type { LogFile } from './log-file.ts';

test('last words are read from the end of a file that may be of any size', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-words-'));
  const terminationFile = path.join(dir, 'words');
  const handle = await open(terminationFile, 'w');
  // Nothing but a hole before them: it takes no room on the disk, and would take 5 GB of memory.
  await handle.write('the end', 5_000_000_000);
  await handle.close();
  const run = { startedMs: 0, endedMs: 0, terminationFile, log: undefined as unknown as LogFile };
  const { message } = await terminatedState(
    { name: 'c' },
    { kind: 'exited', code: 1, outOfMemory: false },
    run,
  );
  expect(message?.length).toBe(4096);
  expect(message).toMatch(/the end$/);
  await rm(dir, { recursive: true });
});
