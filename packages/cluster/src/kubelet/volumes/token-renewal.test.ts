import { afterEach, expect, test } from 'vitest';
import type { Pod, Volume } from '../../kinds/pod.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { dependsOn } from './sources.ts';
import type { Changed } from './sources.ts';
import { renewTokens, tokensLastMs } from './token-renewal.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

const tokenVolume = (name: string, expirationSeconds?: number): Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', ...(expirationSeconds ? { expirationSeconds } : {}) } },
    ],
  },
});

const podWith = (...volumes: Volume[]) =>
  ({ metadata: { name: 'p' }, spec: { containers: [], volumes } }) as unknown as Pod;

function renewing({ isAgeKnown = true, failures = 0 } = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  stops.push(stop);
  const renewed: number[] = [];
  const faults: unknown[] = [];
  const refresh = async ({ resource }: Changed) => {
    expect(resource).toBe('tokens');
    renewed.push(clock.elapsed() / 1000);
    if (renewed.length <= failures) throw new Error('serviceaccount "x" not found');
  };
  const options = { clock, signal: stop.signal, isAgeKnown, onFault: (error: unknown) => faults.push(error) };
  void renewTokens({ refresh }, tokensLastMs(podWith(tokenVolume('a', 600), tokenVolume('b'))), options);
  return { clock, renewed, faults, stop };
}

test('tokens are written anew when four fifths of the shortest life are over, until the pod ends', async () => {
  const { clock, renewed, stop } = renewing();
  await clock.advance(1_000_000);
  expect(renewed).toEqual([480, 960]);
  stop.abort();
  await clock.advance(1_000_000);
  expect(renewed).toHaveLength(2);
  expect(clock.pending).toBe(0);
});

test('those of an earlier daemon at once, and again soon where that failed', async () => {
  const { clock, renewed, faults } = renewing({ isAgeKnown: false, failures: 2 });
  await clock.advance(130_000);
  expect(renewed).toEqual([0, 60, 120]);
  expect(faults).toHaveLength(2);
});

test('a long life is a day, a life not told an hour, and pods without tokens wait for nothing', () => {
  expect(tokensLastMs(podWith(tokenVolume('long', 10_000_000)))).toBe(86_400_000);
  expect(tokensLastMs(podWith(tokenVolume('usual')))).toBe(2_880_000);
  expect(tokensLastMs(podWith({ name: 'other', emptyDir: {} }))).toBeUndefined();
});

test('only volumes that hold a token are written', () => {
  const changed: Changed = { resource: 'tokens', name: '' };
  expect(dependsOn(tokenVolume('a'), changed)).toBe(true);
  expect(dependsOn({ name: 'b', configMap: { name: '' } }, changed)).toBe(false);
  expect(dependsOn({ name: 'c', secret: { secretName: '' } }, changed)).toBe(false);
});
