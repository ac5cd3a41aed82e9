import { expect, test } from 'vitest';
import { run } from '@updraft/kit';
import { openBench } from './testing/bench.ts';

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * The aim: 15 ms over its script, a hundred in 2 s. Where other work shares the processors a bare program takes longer,
 * too: the best of thirty counts, and the limits are at least some multiples of what a shell alone takes now.
 */
test('an empty job on the host costs little over its script, alone and a hundred at once', async () => {
  const bench = await openBench({ files: { 'a.txt': 'a' } });
  const bare = () => run('sh', ['-c', 'true']);
  const hundredOf = (work: () => Promise<unknown>) => Promise.all(Array.from({ length: 100 }, work));
  try {
    const jobs: number[] = [];
    const shells: number[] = [];
    for (let index = 0; index < 30; index += 1) {
      jobs.push(await timed(() => bench.run({ script: ['true'] })));
      shells.push(await timed(bare));
    }
    const over = Math.min(...jobs) - Math.min(...shells);
    const hundred = await timed(() => hundredOf(() => bench.run({ script: ['true'] })));
    const hundredShells = await timed(() => hundredOf(bare));
    console.info(
      `over its script: ${over.toFixed(1)} ms (a shell alone ${Math.min(...shells).toFixed(1)} ms); ` +
        `a hundred: ${hundred.toFixed(0)} ms (shells ${hundredShells.toFixed(0)} ms)`,
    );
    expect(over).toBeLessThan(Math.max(15, 12 * Math.min(...shells)));
    expect(hundred).toBeLessThan(Math.max(2000, 8 * hundredShells));
  } finally {
    await bench.close();
  }
});
