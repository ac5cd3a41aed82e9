import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { usageMeter } from './usage.ts';

test('counters become rates; the first look takes a second, and a restart does not go below zero', async () => {
  const clock = new FakeClock();
  const pod = { metadata: { uid: 'u' } };
  let instance = 'one';
  let started = 0;
  let reads = 0;
  const meter = usageMeter({
    clock,
    read: async () => {
      reads += 1;
      // A quarter of a core, since it started.
      const cpuNanoseconds = BigInt((clock.elapsed() - started) * 250_000);
      return [{ name: 'c', instance, cpuNanoseconds, memoryBytes: 5 }];
    },
  });
  const ask = async () => {
    const answer = meter([pod]);
    await clock.advance(1000);
    return (await answer).get('u');
  };
  await clock.advance(10_000);
  expect((await ask())?.containers).toEqual([{ name: 'c', cpuMilli: 250, memoryBytes: 5 }]);
  await clock.advance(14_000);
  expect(await ask()).toMatchObject({ windowMs: 15_000, containers: [{ cpuMilli: 250 }] });
  instance = 'two';
  started = clock.elapsed();
  await clock.advance(9000);
  expect((await ask())?.containers[0]?.cpuMilli).toBeGreaterThan(0);
  expect(reads).toBe(4);
  await clock.advance(600_000);
  expect(clock.pending).toBe(0);
});
