import { afterEach, beforeEach, expect, test } from 'vitest';
import { timestamp } from '@updraft/kit';
import type { Pod } from '../../kinds/pod.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../kinds/policy.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { conditionOf } from '../conditions.ts';
import { replicaSetController } from '../replica-set.ts';
import { disruptionController } from './disruption.ts';
import { charged, judgeEviction } from './eviction.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [replicaSetController(context), disruptionController(context)]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const budget = () => objects().get('poddisruptionbudgets.policy', 'shop', 'web') as PodDisruptionBudget;
const pods = () => objects().list('pods', 'shop');
const pod = (index = 0) => pods()[index] as Pod;
const judge = (index = 0) => judgeEviction(pod(index), objects().list('poddisruptionbudgets.policy'));

async function replicas(count: number): Promise<void> {
  objects().create('replicasets.apps', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: {
      replicas: count,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
    },
  });
  await plane.controllers.idle();
}

async function apply(spec: Partial<PodDisruptionBudgetSpec>): Promise<void> {
  objects().create('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  });
  await plane.controllers.idle();
}

async function ready(count: number): Promise<void> {
  for (const one of pods().slice(0, count)) plane.ready(one);
  await plane.controllers.idle();
}

test.each([
  [{ minAvailable: 2 }, { expectedPods: 5, desiredHealthy: 2, disruptionsAllowed: 3 }],
  [{ minAvailable: '50%' }, { expectedPods: 5, desiredHealthy: 3, disruptionsAllowed: 2 }],
  [{ maxUnavailable: 1 }, { expectedPods: 5, desiredHealthy: 4, disruptionsAllowed: 1 }],
  [{ maxUnavailable: '30%' }, { expectedPods: 5, desiredHealthy: 3, disruptionsAllowed: 2 }],
  [{ maxUnavailable: 0 }, { expectedPods: 5, desiredHealthy: 5, disruptionsAllowed: 0 }],
])('%j of five ready pods', async (spec, expected) => {
  await replicas(5);
  await apply(spec);
  expect(budget().status).toMatchObject({ currentHealthy: 0, disruptionsAllowed: 0, observedGeneration: 1 });
  await ready(5);
  expect(budget().status).toMatchObject({ currentHealthy: 5, ...expected });
  expect(conditionOf(budget(), 'DisruptionAllowed')).toMatchObject(
    expected.disruptionsAllowed > 0
      ? { status: 'True', reason: 'SufficientPods' }
      : { status: 'False', reason: 'InsufficientPods' },
  );
});

test('a grant is charged at once and counts until the pod goes, or was never seen to go', async () => {
  await replicas(2);
  await apply({ minAvailable: 1 });
  await ready(2);
  expect(judge()).toMatchObject({ kind: 'granted' });
  const { name } = pod().metadata;
  objects().modify('poddisruptionbudgets.policy', 'shop', 'web', (stored) => {
    stored.status = charged(stored.status, name, timestamp(plane.clock.now()));
  });
  expect(judge(1)).toMatchObject({
    kind: 'refused',
    why: 'The disruption budget web needs 1 healthy pods and has 2 currently',
  });
  await plane.controllers.idle();
  expect(budget().status).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 1 });
  await plane.clock.advance(121_000);
  await plane.controllers.idle();
  expect(budget().status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 2 });
  expect(budget().status?.disruptedPods).toBeUndefined();
});

test('what is not ready goes when the rest is enough, or when the budget says so', async () => {
  await replicas(2);
  await apply({ minAvailable: 1 });
  await ready(1);
  expect([judge(0).kind, judge(1).kind]).toEqual(['refused', 'free']);
  plane.ready(pod(0), false);
  plane.ready(pod(1), false);
  await plane.controllers.idle();
  expect(judge(1).kind).toBe('refused');
  objects().modify('poddisruptionbudgets.policy', 'shop', 'web', ({ spec }) => {
    spec.unhealthyPodEvictionPolicy = 'AlwaysAllow';
  });
  expect(judge(1).kind).toBe('free');
});

test('two budgets for one pod are one too many; a changed budget is not believed yet', async () => {
  await replicas(1);
  await apply({ minAvailable: 0 });
  await ready(1);
  expect(judge().kind).toBe('granted');
  objects().modify('poddisruptionbudgets.policy', 'shop', 'web', ({ spec }) => {
    spec.minAvailable = 1;
  });
  expect(judge()).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('being processed') as string,
  });
  objects().create('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'all', namespace: 'shop', generation: 1 },
    spec: { selector: {}, minAvailable: 0 },
  });
  expect(judge().kind).toBe('ambiguous');
});

test('pods whose number nobody says let nothing go when it matters', async () => {
  await replicas(1);
  objects().modify('pods', 'shop', pod().metadata.name, ({ metadata }) => {
    metadata.ownerReferences = [
      { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true },
    ];
  });
  await apply({ maxUnavailable: 1 });
  expect(conditionOf(budget(), 'DisruptionAllowed')).toMatchObject({
    status: 'False',
    reason: 'SyncFailed',
    message: 'jobs.batch does not implement the scale subresource',
  });
});
