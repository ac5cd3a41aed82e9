import { expect, test } from 'vitest';
import { run } from '@updraft/kit';
import { openBench } from './testing/bench.ts';

const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Other tests share the machine: the limits hold three times what is measured when it is quiet. */
test('an empty job on the host costs little over its script, alone and a hundred at once', async () => {
  const bench = await openBench({ files: { 'a.txt': 'a' } });
  try {
    const jobs: number[] = [];
    const bare: number[] = [];
    for (let index = 0; index < 20; index += 1) {
      jobs.push(await timed(() => bench.run({ script: ['true'] })));
      bare.push(await timed(() => run('sh', ['-c', 'true'])));
    }
    const hundred = await timed(() =>
      Promise.all(Array.from({ length: 100 }, () => bench.run({ script: ['true'] }))),
    );
    const over = median(jobs) - median(bare);
    console.info(`over its script: ${over.toFixed(1)} ms; a hundred: ${hundred.toFixed(0)} ms`);
    expect(over).toBeLessThan(30);
    expect(hundred).toBeLessThan(4000);
  } finally {
    await bench.close();
  }
});
