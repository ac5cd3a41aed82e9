import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Pod } from '../kinds/pod.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { dispensableFirst, replicationControllerController } from './replica-set.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [replicationControllerController(context)]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const pods = () => objects().list('pods', 'shop');

test('a ReplicationController keeps its pods, adopts what it selects and lets go what it does not', async () => {
  objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stray', namespace: 'shop', labels: { app: 'old' } },
    spec: { containers: [{ name: 'c', image: 'a:1' }] },
  });
  objects().create('replicationcontrollers', {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'old', namespace: 'shop', generation: 1 },
    spec: {
      replicas: 2,
      selector: { app: 'old' },
      template: { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
    },
  });
  await plane.controllers.idle();
  expect(pods()).toHaveLength(2);
  expect(objects().get('pods', 'shop', 'stray')?.metadata.ownerReferences).toMatchObject([
    { kind: 'ReplicationController', apiVersion: 'v1', name: 'old', controller: true },
  ]);
  objects().modify('pods', 'shop', 'stray', ({ metadata }) => {
    metadata.labels = { app: 'free' };
  });
  await plane.controllers.idle();
  expect(objects().get('pods', 'shop', 'stray')?.metadata.ownerReferences).toBeUndefined();
  expect(pods()).toHaveLength(3);
  objects().modify('replicationcontrollers', 'shop', 'old', ({ spec }) => {
    spec.replicas = 0;
  });
  await plane.controllers.idle();
  expect(pods().map(({ metadata }) => metadata.name)).toEqual(['stray']);
  expect(objects().get('replicationcontrollers', 'shop', 'old')?.status).toMatchObject({
    replicas: 0,
    observedGeneration: 2,
  });
});

test('pods are given up in the order that loses least', () => {
  const pod = (
    name: string,
    of: {
      node?: string;
      phase?: string;
      readyAt?: string;
      restarts?: number;
      cost?: string;
      created?: string;
    },
  ) =>
    ({
      metadata: {
        name,
        creationTimestamp: of.created ?? '2026-01-01T00:00:00Z',
        annotations: of.cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': of.cost },
      },
      spec: { containers: [], ...(of.node === '' ? {} : { nodeName: 'node' }) },
      status: {
        phase: of.phase ?? 'Running',
        conditions: of.readyAt ? [{ type: 'Ready', status: 'True', lastTransitionTime: of.readyAt }] : [],
        containerStatuses: [{ restartCount: of.restarts ?? 0 }],
      },
    }) as unknown as Pod;
  const at = (minute: number) => `2026-01-01T00:0${minute}:00Z`;
  const inOrder = [
    pod('unassigned', { node: '', phase: 'Pending' }),
    pod('pending', { phase: 'Pending' }),
    pod('not ready', {}),
    pod('cheap', { readyAt: at(1), cost: '-10' }),
    pod('just ready', { readyAt: at(5) }),
    pod('restarted', { readyAt: at(2), restarts: 3 }),
    pod('young', { readyAt: at(2), created: at(1) }),
    pod('old', { readyAt: at(2) }),
    pod('dear', { readyAt: at(5), cost: '10' }),
  ];
  expect(
    inOrder
      .toReversed()
      .toSorted(dispensableFirst)
      .map(({ metadata }) => metadata.name),
  ).toEqual(inOrder.map(({ metadata }) => metadata.name));
});
