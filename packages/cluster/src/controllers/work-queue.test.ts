import { expect, test } from 'vitest';
import { systemClock } from '@updraft/kit';
import { FakeClock } from '../testing/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

test('a key that always comes back is slowed down; the others are not', async () => {
  const clock = new FakeClock();
  const runs = new Map<string, number>();
  const queue = new WorkQueue({
    clock,
    reconcile: (key) => {
      runs.set(key, (runs.get(key) ?? 0) + 1);
      if (key === 'restless') queue.add(key);
    },
    onError: (_key, error) => {
      throw error;
    },
  });
  queue.add('restless');
  await queue.idle();
  const atOnce = runs.get('restless') ?? 0;
  expect(atOnce).toBeLessThan(1000);
  queue.add('calm');
  await queue.idle();
  expect(runs.get('calm')).toBe(1);
  await clock.advance(2000);
  await queue.idle();
  const more = (runs.get('restless') ?? 0) - atOnce;
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThan(10);
  await queue.stop();
});

test('whatever there is to do, input and output are let through', async () => {
  let left = 200;
  const queue = new WorkQueue({
    clock: systemClock,
    reconcile: () => {
      const until = performance.now() + 2;
      while (performance.now() < until);
      left -= 1;
      if (left > 0) queue.add('busy');
    },
    onError: () => undefined,
  });
  queue.add('busy');
  let turns = 0;
  const turn = () => {
    turns += 1;
    if (left > 0) setImmediate(turn);
  };
  setImmediate(turn);
  await queue.idle();
  expect(turns).toBeGreaterThan(10);
  await queue.stop();
});
