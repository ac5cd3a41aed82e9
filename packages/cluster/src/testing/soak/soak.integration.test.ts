import { expect, test } from 'vitest';
import { soak } from './soak.ts';

test('after rounds of deploying, changing, killing and deleting nothing is left, and nothing was logged', async () => {
  const { memory, ...result } = await soak({ rounds: 5, lanes: 2, killEvery: 3, report: () => undefined });
  expect(result).toEqual({ rounds: 5, failures: [], logged: [], left: {} });
  expect(memory.at(-1)?.heapMb).toBeLessThan((memory.at(0)?.heapMb ?? 0) + 10);
}, 600_000);
