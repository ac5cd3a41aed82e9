import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newSetSize, oldSetSizes, proportional, slackOf } from './rolling.ts';
import type { Share } from './rolling.ts';

const selector = { matchLabels: { app: 'a' } };
const template = { spec: { containers: [] } };
const spec = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) => ({
  replicas,
  selector,
  template,
  strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
});

describe('slackOf', () => {
  test.each([
    [spec(10, '25%', '25%'), { maxSurge: 3, maxUnavailable: 2 }],
    [spec(3, '25%', '25%'), { maxSurge: 1, maxUnavailable: 0 }],
    [spec(1, '25%', '25%'), { maxSurge: 1, maxUnavailable: 0 }],
    [spec(4, 0, 0), { maxSurge: 0, maxUnavailable: 1 }],
    [spec(3, 1, 0), { maxSurge: 1, maxUnavailable: 0 }],
    [spec(2, 0, 5), { maxSurge: 0, maxUnavailable: 2 }],
  ])('%j', (given, expected) => {
    expect(slackOf(given)).toEqual(expected);
  });
});

const share = fc.record({
  desired: fc.integer({ min: 0, max: 8 }),
  part: fc.float({ min: 0, max: 1, noNaN: true }),
});
const shares = (parts: { desired: number; part: number }[]): Share[] =>
  parts.map(({ desired, part }, index) => ({
    name: `s${index}`,
    desired,
    available: Math.floor(desired * part),
  }));

describe('a rolling step', () => {
  test('never goes over replicas + surge by growing, nor under replicas - unavailable by shrinking', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.array(share, { minLength: 1, maxLength: 4 }),
        (replicas, maxSurge, maxUnavailable, parts) => {
          const slack = { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
          const [next, ...old] = shares(parts) as [Share, ...Share[]];
          const size = newSetSize(replicas, slack, next, old);
          const others = old.reduce((sum, { desired }) => sum + desired, 0);
          if (size > next.desired) expect(size + others).toBeLessThanOrEqual(replicas + maxSurge);
          const sizes = oldSetSizes(replicas, slack, next, old);
          const available = old.reduce(
            (sum, one) => sum + Math.min(one.available, sizes.get(one.name) ?? 0),
            0,
          );
          const shrunk = old.some((one) => (sizes.get(one.name) ?? 0) < one.available);
          if (shrunk)
            expect(available + next.available).toBeGreaterThanOrEqual(replicas - slack.maxUnavailable);
        },
      ),
    );
  });

  test('gives up broken old pods first although the new ones are not ready', () => {
    const old = [{ name: 'old', desired: 3, available: 1 }];
    const sizes = oldSetSizes(
      3,
      { maxSurge: 1, maxUnavailable: 1 },
      { name: 'new', desired: 1, available: 0 },
      old,
    );
    expect(sizes.get('old')).toBe(2);
  });
});

describe('scaling in a rollout', () => {
  const parts = (...of: [name: string, desired: number][]) =>
    of.map(([name, desired]) => ({ name, desired, available: desired, outOf: 13 }));

  // The example of Kubernetes' manual: 10 replicas and a surge of 3, scaled to 15.
  test('gives each ReplicaSet its part of the whole', () => {
    const sizes = proportional(parts(['old', 8], ['new', 5]), 18);
    expect(Object.fromEntries(sizes)).toEqual({ old: 11, new: 7 });
  });

  test('takes from each likewise, and everything when nothing is wanted', () => {
    expect(Object.fromEntries(proportional(parts(['old', 8], ['new', 5]), 8))).toEqual({ old: 5, new: 3 });
    expect(Object.fromEntries(proportional(parts(['old', 8], ['new', 5]), 0))).toEqual({ old: 0, new: 0 });
  });

  test('gives what rounding leaves to the first', () => {
    const sizes = proportional(parts(['a', 5], ['b', 4], ['c', 4]), 14);
    expect(Object.fromEntries(sizes)).toEqual({ a: 6, b: 4, c: 4 });
  });
});
