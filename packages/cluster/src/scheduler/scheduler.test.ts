import { afterEach, beforeEach, expect, test } from 'vitest';
import { conditionOf } from '../controllers/conditions.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { scheduler } from './scheduler.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [scheduler(context, 'node')]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const node = (unschedulable: boolean) =>
  objects().create('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node' },
    spec: { unschedulable },
  });
const pod = () =>
  objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { containers: [] },
  });
const stored = () => objects().get('pods', 'shop', 'p');

test('a pod is bound to the node', async () => {
  node(false);
  pod();
  await plane.controllers.idle();
  expect(stored()?.spec.nodeName).toBe('node');
  expect(conditionOf(stored() ?? {}, 'PodScheduled')?.status).toBe('True');
  expect(plane.eventTexts()).toEqual(['Scheduled: Successfully assigned shop/p to node']);
});

test('a cordoned node takes no pods until it is open again', async () => {
  node(true);
  pod();
  await plane.controllers.idle();
  expect(stored()?.spec.nodeName).toBeUndefined();
  expect(plane.eventTexts()[0]).toMatch(
    /FailedScheduling: 0\/1 nodes are available: 1 node\(s\) were unschedulable/,
  );
  objects().modify('nodes', undefined, 'node', ({ spec }) => {
    spec.unschedulable = false;
  });
  await plane.controllers.idle();
  expect(stored()?.spec.nodeName).toBe('node');
});
