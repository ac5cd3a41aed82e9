import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Node } from '../kinds/core.ts';
import type { PodSpec } from '../kinds/pod.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { conditionOf } from './conditions.ts';
import { taintEvictionController } from './taint-eviction.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [taintEvictionController(context)]);
  objects().create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: {} });
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const idle = () => plane.controllers.idle();
const isGoing = (name: string) =>
  objects().get('pods', 'shop', name)?.metadata.deletionTimestamp !== undefined ||
  objects().get('pods', 'shop', name) === undefined;

function pod(name: string, tolerations: PodSpec['tolerations'] = []): void {
  objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'node', containers: [{ name: 'c' }], tolerations },
    status: { phase: 'Running' },
  });
}

async function taint(taints: Node['spec']['taints']): Promise<void> {
  objects().modify('nodes', undefined, 'node', ({ spec }) => {
    spec.taints = taints ?? [];
  });
  await idle();
}

const BAD = { key: 'bad', effect: 'NoExecute' };
const bears = (tolerationSeconds?: number) => ({
  key: 'bad',
  operator: 'Exists',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

test('pods leave a tainted node: at once, after the time they bear it, or never', async () => {
  pod('tender');
  pod('patient', [bears(30)]);
  pod('tough', [bears()]);
  pod('both', [bears(), { ...bears(10), effect: 'NoExecute' }]);
  await taint([{ key: 'bad', effect: 'NoSchedule' }]);
  expect(['tender', 'patient', 'tough', 'both'].filter(isGoing)).toEqual([]);
  await taint([BAD]);
  expect(['tender', 'patient', 'tough', 'both'].filter(isGoing)).toEqual(['tender']);
  await plane.clock.advance(11_000);
  await idle();
  expect(['patient', 'tough', 'both'].filter(isGoing)).toEqual(['both']);
  // Other news of the pod do not start its time anew.
  objects().modify('pods', 'shop', 'patient', ({ metadata }) => {
    metadata.labels = { a: 'b' };
  });
  await idle();
  await plane.clock.advance(20_000);
  await idle();
  expect(['patient', 'tough'].filter(isGoing)).toEqual(['patient']);
  expect(plane.eventTexts()).toContain('TaintManagerEviction: Marking for deletion Pod shop/patient');
});

test('a taint that goes away in time spares the pod; a pod that comes later is judged, too', async () => {
  pod('spared', [bears(30)]);
  await taint([BAD]);
  await plane.clock.advance(20_000);
  await taint([]);
  await plane.clock.advance(20_000);
  await idle();
  expect(isGoing('spared')).toBe(false);
  await taint([BAD, { key: 'worse', effect: 'NoExecute' }]);
  expect(isGoing('spared')).toBe(true);
  pod('late', [{ operator: 'Exists', tolerationSeconds: 5 }]);
  await idle();
  const late = () => objects().get('pods', 'shop', 'late');
  expect(isGoing('late')).toBe(false);
  await plane.clock.advance(6000);
  await idle();
  expect(isGoing('late')).toBe(true);
  const { reason } = conditionOf(late() ?? {}, 'DisruptionTarget') ?? {};
  expect(late() === undefined || reason === 'DeletionByTaintManager').toBe(true);
});
