import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openMergedRoot } from './files/merged-root.ts';
import { openBench } from './testing/bench.ts';

test('sweep unmounts what a dead process left, and nothing else', async () => {
  const bench = await openBench();
  const { store } = bench.options;
  const left = await store.scratch('build');
  const inner = path.join(left, 'origin');
  await mkdir(inner);
  await openMergedRoot(store, bench.base.layers, left, true);
  await openMergedRoot(store, [...bench.base.layers, ...bench.base.layers], inner, false).catch(
    () => undefined,
  );
  const mounts = async () =>
    (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(store.dir))
      .length;
  expect(await mounts()).toBeGreaterThan(0);
  await bench.builder.sweep();
  expect(await mounts()).toBe(0);
  expect(await bench.files(bench.base.layers)).not.toEqual([]);
  await bench.close();
});
