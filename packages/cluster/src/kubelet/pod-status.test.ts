import { expect, test } from 'vitest';
import type { ContainerState, ContainerStatus, Pod } from '../kinds/pod.ts';
import { phaseOf } from './pod-status.ts';
import type { PodFacts } from './pod-status.ts';

const status = (name: string, state: ContainerState): ContainerStatus => ({
  name,
  state,
  lastState: {},
  ready: false,
  started: true,
  restartCount: 0,
  image: 'i',
  imageID: '',
});
const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number): ContainerState => ({
  terminated: { exitCode, reason: 'Completed', finishedAt: '2026-01-01T00:00:01Z' },
});

function phase(states: { side: ContainerState; app: ContainerState }, restartPolicy = 'Never'): string {
  const facts: PodFacts = {
    init: [status('side', states.side)],
    sidecars: new Set(['side']),
    app: [status('app', states.app)],
    ephemeral: [],
    address: undefined,
    nodeAddress: '10.0.0.1',
    startedMs: 0,
    verdict: undefined,
  };
  return phaseOf({ spec: { restartPolicy } } as Pod, facts);
}

test('a pod has not ended before its sidecars have, and how they end does not matter', () => {
  expect(phase({ side: running, app: running })).toBe('Running');
  expect(phase({ side: running, app: ended(0) })).toBe('Running');
  expect(phase({ side: running, app: ended(1) })).toBe('Running');
  expect(phase({ side: ended(143), app: ended(0) })).toBe('Succeeded');
  expect(phase({ side: ended(0), app: ended(1) })).toBe('Failed');
});
