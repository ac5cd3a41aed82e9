import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DaemonSet } from '../../kinds/workloads.ts';
import { scheduler } from '../../scheduler/scheduler.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { daemonSetController } from './daemon-set.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [daemonSetController(context), scheduler(context, 'node')]);
  plane.context.objects.create('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node', labels: { disk: 'ssd' } },
    spec: {},
  });
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const set = () => objects().get('daemonsets.apps', 'shop', 'agent') as DaemonSet;
const pods = () => objects().list('pods', 'shop');
const images = () => pods().map(({ spec }) => spec.containers[0]?.image);

async function apply(spec: Partial<DaemonSet['spec']> = {}, podSpec = {}): Promise<void> {
  objects().create('daemonsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'shop', generation: 1 },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: { containers: [{ name: 'c', image: 'a:1' }], ...podSpec },
      },
      ...spec,
    },
  });
  await plane.controllers.idle();
}

async function setImage(image: string): Promise<void> {
  objects().modify('daemonsets.apps', 'shop', 'agent', ({ spec }) => {
    spec.template.spec.containers = [{ name: 'c', image }];
  });
  await plane.controllers.idle();
}

async function allReady(): Promise<void> {
  for (const pod of pods()) plane.ready(pod);
  plane.bury();
  await plane.controllers.idle();
}

async function node(
  edit: (node: {
    spec: { taints?: object[]; unschedulable?: boolean };
    metadata: { labels?: Record<string, string> };
  }) => void,
) {
  objects().modify('nodes', undefined, 'node', (stored) => edit(stored as never));
  await plane.controllers.idle();
}

test('its pod runs on the node, cordoned or not, and is counted', async () => {
  await node(({ spec }) => {
    spec.unschedulable = true;
  });
  await apply();
  expect(pods()[0]?.spec.nodeName).toBe('node');
  expect(set().status).toEqual({
    observedGeneration: 1,
    currentNumberScheduled: 1,
    desiredNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: 0,
    updatedNumberScheduled: 1,
    numberUnavailable: 1,
  });
  await allReady();
  expect(set().status).toMatchObject({ numberReady: 1, numberAvailable: 1 });
  expect(set().status).not.toHaveProperty('numberUnavailable');
});

test('a node that is not selected has none, and loses one when its label goes', async () => {
  await apply({}, { nodeSelector: { disk: 'ssd' } });
  expect(pods()).toHaveLength(1);
  await allReady();
  await node(({ metadata }) => {
    metadata.labels = {};
  });
  plane.bury();
  await plane.controllers.idle();
  expect(pods()).toEqual([]);
  expect(set().status).toMatchObject({ desiredNumberScheduled: 0, currentNumberScheduled: 0 });
});

test('a taint keeps new pods off, lets old ones stay, and drives them out with NoExecute', async () => {
  await apply();
  await allReady();
  const taint = (effect: string) =>
    node(({ spec }) => {
      spec.taints = [{ key: 'k', effect }];
    });
  await taint('NoSchedule');
  expect(pods()[0]?.metadata.deletionTimestamp).toBeUndefined();
  expect(set().status).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 });
  await taint('NoExecute');
  expect(pods()[0]?.metadata.deletionTimestamp).toBeDefined();
});

test('an update takes the old pod away first, or puts the new one beside it', async () => {
  await apply();
  await allReady();
  await setImage('a:2');
  expect(pods()[0]?.metadata.deletionTimestamp).toBeDefined();
  await allReady();
  expect(images()).toEqual(['a:2']);
  await allReady();
  objects().modify('daemonsets.apps', 'shop', 'agent', ({ spec }) => {
    spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  });
  await setImage('a:3');
  expect(new Set(images())).toEqual(new Set(['a:2', 'a:3']));
  expect(pods().every(({ metadata }) => metadata.deletionTimestamp === undefined)).toBe(true);
  await allReady();
  await allReady();
  expect(images()).toEqual(['a:3']);
  expect(set().status).toMatchObject({ updatedNumberScheduled: 1, numberAvailable: 1 });
});

test('OnDelete waits for somebody to delete the pod', async () => {
  await apply({ updateStrategy: { type: 'OnDelete' } });
  await allReady();
  await setImage('a:2');
  await allReady();
  expect(images()).toEqual(['a:1']);
  expect(set().status).toMatchObject({ updatedNumberScheduled: 0 });
  plane.context.deletion.delete('pods', 'shop', pods()[0]?.metadata.name ?? '');
  await allReady();
  expect(images()).toEqual(['a:2']);
});

test('a pod that failed is replaced', async () => {
  await apply();
  const first = pods()[0]?.metadata.name ?? '';
  objects().modify('pods', 'shop', first, (pod) => {
    pod.status = { phase: 'Failed' };
  });
  await plane.controllers.idle();
  expect(pods().map(({ metadata }) => metadata.name)).not.toContain(first);
  expect(pods()).toHaveLength(1);
  expect(plane.eventTexts().join('\n')).toContain(
    `FailedDaemonPod: Found failed daemon pod shop/${first} on node node`,
  );
});

test('its revisions are kept for kubectl', async () => {
  await apply();
  await setImage('a:2');
  await allReady();
  const revisions = objects().list('controllerrevisions.apps', 'shop');
  expect(new Set(revisions.map(({ revision }) => revision))).toEqual(new Set([1, 2]));
  expect(revisions[0]?.data?.spec?.template).toMatchObject({ $patch: 'replace' });
  expect(pods()[0]?.metadata.labels).toMatchObject({ 'pod-template-generation': '2' });
});
