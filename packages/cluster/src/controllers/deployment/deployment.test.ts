import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Deployment } from '../../kinds/workloads.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { conditionOf } from '../conditions.ts';
import { garbageCollector } from '../garbage-collector.ts';
import { replicaSetController } from '../replica-set.ts';
import { deploymentController } from './deployment.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [
    deploymentController(context),
    replicaSetController(context),
    garbageCollector(context),
  ]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const deployment = () => objects().get('deployments.apps', 'shop', 'web') as Deployment;
const pods = () =>
  objects()
    .list('pods', 'shop')
    .filter(({ metadata }) => !metadata.deletionTimestamp);
const sets = () => objects().list('replicasets.apps', 'shop');
const imageOf = (pod: { spec: { containers: { image?: string }[] } }) => pod.spec.containers[0]?.image;

async function apply(spec: Partial<Deployment['spec']> = {}): Promise<void> {
  objects().create('deployments.apps', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
      ...spec,
    },
  });
  await plane.controllers.idle();
}

async function change(edit: (spec: Deployment['spec']) => void): Promise<void> {
  objects().modify('deployments.apps', 'shop', 'web', ({ spec }) => edit(spec));
  await plane.controllers.idle();
}

const setImage = (image: string) =>
  change((spec) => {
    spec.template.spec.containers = [{ name: 'c', image }];
  });

async function allReady(): Promise<void> {
  for (const pod of pods()) plane.ready(pod);
  plane.bury();
  await plane.controllers.idle();
}

test('a new deployment makes its pods and says when they are there', async () => {
  await apply();
  expect(pods()).toHaveLength(3);
  expect(deployment().status).toMatchObject({ replicas: 3, unavailableReplicas: 3, observedGeneration: 1 });
  expect(conditionOf(deployment(), 'Available')?.status).toBe('False');
  await allReady();
  expect(deployment().status).toMatchObject({ updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
  expect(deployment().status).not.toHaveProperty('unavailableReplicas');
  expect(conditionOf(deployment(), 'Progressing')?.reason).toBe('NewReplicaSetAvailable');
  expect(sets()[0]?.status).toMatchObject({ observedGeneration: 1, readyReplicas: 3 });
  expect(deployment().metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '1' });
});

test('a rolling update never has fewer ready pods than wanted, nor more than the surge', async () => {
  await apply({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
  await allReady();
  await setImage('a:2');
  for (let step = 0; step < 12; step += 1) {
    expect(pods().length).toBeLessThanOrEqual(4);
    expect(
      pods().filter((pod) => conditionOf(pod, 'Ready')?.status === 'True').length,
    ).toBeGreaterThanOrEqual(3);
    await allReady();
  }
  expect(pods().map(imageOf)).toEqual(['a:2', 'a:2', 'a:2']);
  expect(
    sets()
      .map(({ spec }) => spec.replicas)
      .toSorted((a = 0, b = 0) => a - b),
  ).toEqual([0, 3]);
});

test('a new image that never gets ready leaves the old pods serving, and the deadline passes', async () => {
  await apply({
    progressDeadlineSeconds: 60,
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  });
  await allReady();
  await setImage('a:broken');
  await plane.clock.advance(61_000);
  expect(conditionOf(deployment(), 'Progressing')).toMatchObject({
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
  });
  expect(pods().filter((pod) => imageOf(pod) === 'a:1')).toHaveLength(3);
});

test('going back takes the old ReplicaSet again, under a new revision', async () => {
  await apply();
  await allReady();
  const first = sets()[0]?.metadata.name;
  await setImage('a:2');
  for (let step = 0; step < 8; step += 1) await allReady();
  await setImage('a:1');
  for (let step = 0; step < 8; step += 1) await allReady();
  const back = sets().find(({ metadata }) => metadata.name === first);
  expect(back?.spec.replicas).toBe(3);
  expect(back?.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  });
  expect(sets()).toHaveLength(2);
});

test('Recreate waits for the last old pod', async () => {
  await apply({ strategy: { type: 'Recreate' } });
  await allReady();
  await setImage('a:2');
  expect(pods()).toHaveLength(0);
  plane.bury();
  await plane.controllers.idle();
  expect(pods().map(imageOf)).toEqual(['a:2', 'a:2', 'a:2']);
});

test('a paused deployment scales but does not roll', async () => {
  await apply({ paused: false });
  await allReady();
  await change((spec) => {
    spec.paused = true;
  });
  await setImage('a:2');
  expect(new Set(pods().map(imageOf))).toEqual(new Set(['a:1']));
  await change((spec) => {
    spec.replicas = 5;
  });
  expect(pods()).toHaveLength(5);
});

test('scaled in the middle of a rollout, old and new pods keep their parts', async () => {
  await apply({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
  await allReady();
  await setImage('a:broken');
  plane.bury();
  await plane.controllers.idle();
  const sizes = () =>
    Object.fromEntries(sets().map(({ spec }) => [imageOf(spec.template), spec.replicas] as const));
  expect(sizes()).toEqual({ 'a:1': 8, 'a:broken': 5 });
  await change((spec) => {
    spec.replicas = 15;
  });
  expect(sizes()).toEqual({ 'a:1': 11, 'a:broken': 7 });
});

test('only so many old ReplicaSets are kept', async () => {
  await apply({ revisionHistoryLimit: 1, replicas: 1 });
  for (const image of ['a:1', 'a:2', 'a:3', 'a:4']) {
    await setImage(image);
    for (let step = 0; step < 4; step += 1) await allReady();
  }
  expect(sets()).toHaveLength(2);
});

test('deleting it takes ReplicaSets and pods along', async () => {
  await apply();
  await allReady();
  plane.context.deletion.delete('deployments.apps', 'shop', 'web', { propagationPolicy: 'Background' });
  await plane.controllers.idle();
  plane.bury();
  await plane.controllers.idle();
  expect(sets()).toHaveLength(0);
  expect(objects().list('pods', 'shop')).toHaveLength(0);
});

test('in the foreground the deployment goes last', async () => {
  await apply();
  await allReady();
  plane.context.deletion.delete('deployments.apps', 'shop', 'web', { propagationPolicy: 'Foreground' });
  await plane.controllers.idle();
  expect(deployment()).toBeDefined();
  plane.bury();
  await plane.controllers.idle();
  expect(deployment()).toBeUndefined();
});

test('orphaning keeps what it made, and a new owner adopts it', async () => {
  await apply();
  await allReady();
  plane.context.deletion.delete('deployments.apps', 'shop', 'web', { propagationPolicy: 'Orphan' });
  await plane.controllers.idle();
  expect(deployment()).toBeUndefined();
  expect(sets()[0]?.metadata.ownerReferences).toBeUndefined();
  await apply();
  expect(sets()).toHaveLength(1);
  expect(sets()[0]?.metadata.ownerReferences?.[0]?.uid).toBe(deployment().metadata.uid);
  expect(pods()).toHaveLength(3);
});

test('what keeps pods from being made is said by the deployment, until it is over', async () => {
  objects().create('resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec: { hard: { pods: '1' } },
  });
  await apply();
  expect(conditionOf(deployment(), 'ReplicaFailure')).toMatchObject({
    status: 'True',
    reason: 'FailedCreate',
  });
  expect(conditionOf(deployment(), 'ReplicaFailure')?.message).toContain('exceeded quota: q');
  objects().store.remove('resourcequotas', 'shop', 'q');
  await plane.clock.advance(60_000);
  await plane.controllers.idle();
  expect(pods()).toHaveLength(3);
  expect(conditionOf(deployment(), 'ReplicaFailure')).toBeUndefined();
});

test('nothing is written when nothing changes', async () => {
  await apply();
  await allReady();
  const { revision } = objects().store;
  plane.controllers.nudge('deployment', 'shop/web');
  for (const { metadata } of sets()) plane.controllers.nudge('replicaset', `shop/${metadata.name}`);
  await plane.controllers.idle();
  expect(objects().store.revision).toBe(revision);
});

test('revisions go on from wherever somebody has begun, however large the number', async () => {
  const first = '9007199254740993';
  objects().create('replicasets.apps', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'before',
      namespace: 'shop',
      labels: { app: 'web' },
      annotations: { 'deployment.kubernetes.io/revision': first },
      generation: 1,
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'z:1' }] } },
    },
  });
  await apply();
  const annotations = sets().find(({ metadata }) => metadata.name !== 'before')?.metadata.annotations;
  expect(annotations?.['deployment.kubernetes.io/revision']).toBe('9007199254740994');
  expect(annotations).not.toHaveProperty('deployment.kubernetes.io/revision-history');
});
