import { afterEach, beforeEach, expect, test } from 'vitest';
import { timestamp } from '@updraft/kit';
import type { AutoscalerSpec, HorizontalPodAutoscaler } from '../../kinds/autoscaling.ts';
import type { Pod } from '../../kinds/pod.ts';
import type { PodUsage, UsagePort } from '../../metrics/usage.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { conditionOf } from '../conditions.ts';
import { replicaSetController } from '../replica-set.ts';
import { autoscalerController } from './autoscaler.ts';

const SECOND = 1000;
let plane: TestPlane;
/** Thousandths of a core that every pod uses; undefined: nobody knows. */
let cpu: (pod: Pod) => number | undefined;

beforeEach(() => {
  cpu = () => 0;
  const port: UsagePort = {
    usage: async (pods) =>
      new Map(
        pods.flatMap((pod): [string, PodUsage][] => {
          const cpuMilli = cpu(pod);
          if (cpuMilli === undefined) return [];
          const containers = [{ name: 'c', cpuMilli, memoryBytes: 64 * 2 ** 20 }];
          return [[pod.metadata.uid, { atMs: plane.clock.now(), windowMs: 15_000, containers }]];
        }),
      ),
  };
  plane = startPlane((context) => [replicaSetController(context), autoscalerController(context, port)]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const scaler = () =>
  objects().get('horizontalpodautoscalers.autoscaling', 'shop', 'web') as HorizontalPodAutoscaler;
const replicas = () => objects().get('replicasets.apps', 'shop', 'web')?.spec.replicas;
const pods = () => objects().list('pods', 'shop');

/** Pods that have run for a while: their CPU is believed. */
async function warm(): Promise<void> {
  for (const pod of pods()) {
    plane.ready(pod);
    objects().modify('pods', 'shop', pod.metadata.name, (stored) => {
      stored.status = { ...stored.status, startTime: timestamp(plane.clock.now() - 600 * SECOND) };
    });
  }
  await plane.controllers.idle();
}

async function target(count: number, requests: Record<string, string> = { cpu: '100m' }): Promise<void> {
  objects().create('replicasets.apps', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: {
      replicas: count,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'a', resources: { requests } }] },
      },
    },
  });
  await plane.controllers.idle();
  await warm();
}

const utilization = (name: string, averageUtilization: number) => ({
  type: 'Resource',
  resource: { name, target: { type: 'Utilization' as const, averageUtilization } },
});

async function scale(spec: Partial<AutoscalerSpec> = {}): Promise<void> {
  objects().create('horizontalpodautoscalers.autoscaling', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [utilization('cpu', 50)],
      ...spec,
    },
  });
  await plane.controllers.idle();
}

async function periods(count: number): Promise<void> {
  for (let period = 0; period < count; period += 1) {
    await plane.clock.advance(15 * SECOND);
    await plane.controllers.idle();
    await warm();
  }
}

test('load above the target adds pods in proportion', async () => {
  await target(2);
  cpu = () => 90;
  await scale();
  expect(replicas()).toBe(4);
  expect(scaler().status).toMatchObject({
    currentReplicas: 2,
    desiredReplicas: 4,
    lastScaleTime: timestamp(plane.clock.now()),
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 90, averageValue: '90m' } },
      },
    ],
  });
  expect(conditionOf(scaler(), 'AbleToScale')).toMatchObject({ status: 'True', reason: 'SucceededRescale' });
  expect(conditionOf(scaler(), 'ScalingActive')).toMatchObject({
    status: 'True',
    reason: 'ValidMetricFound',
  });
  expect(plane.eventTexts()).toContain(
    'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
  );
});

test('a tenth above or below is near enough', async () => {
  await target(4);
  cpu = () => 54;
  await scale();
  expect(replicas()).toBe(4);
  cpu = () => 46;
  await periods(30);
  expect(replicas()).toBe(4);
  expect(conditionOf(scaler(), 'AbleToScale')?.reason).toBe('ReadyForNewScale');
});

test('less load takes pods away only after five quiet minutes', async () => {
  await target(4);
  cpu = () => 50;
  await scale();
  cpu = () => 10;
  await periods(19);
  expect(replicas()).toBe(4);
  expect(conditionOf(scaler(), 'AbleToScale')?.reason).toBe('ScaleDownStabilized');
  await periods(2);
  expect(replicas()).toBe(1);
});

test('the bounds hold, and are said to', async () => {
  await target(2);
  cpu = () => 900;
  await scale({ maxReplicas: 3 });
  expect(replicas()).toBe(3);
  await periods(1);
  expect(conditionOf(scaler(), 'ScalingLimited')).toMatchObject({
    status: 'True',
    reason: 'TooManyReplicas',
  });
});

test('policies say how fast', async () => {
  await target(4);
  cpu = () => 100;
  const policies = [{ type: 'Pods' as const, value: 1, periodSeconds: 60 }];
  await scale({ maxReplicas: 20, behavior: { scaleUp: { policies } } });
  expect(replicas()).toBe(5);
  expect(conditionOf(scaler(), 'ScalingLimited')?.reason).toBe('ScaleUpLimit');
  await periods(3);
  expect(replicas()).toBe(5);
  await periods(1);
  expect(replicas()).toBe(6);
});

test('down may be forbidden, or go step by step', async () => {
  await target(8);
  cpu = () => 0;
  await scale({
    behavior: {
      scaleDown: {
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Percent', value: 50, periodSeconds: 15 }],
      },
    },
  });
  expect(replicas()).toBe(4);
  await periods(1);
  expect(replicas()).toBe(2);
  objects().modify('horizontalpodautoscalers.autoscaling', 'shop', 'web', ({ spec }) => {
    spec.behavior = { scaleDown: { selectPolicy: 'Disabled' } };
  });
  await periods(25);
  expect(replicas()).toBe(2);
});

test('pods that nobody knows of hold back: full on the way down, idle on the way up', async () => {
  await target(4);
  const [first] = pods();
  const unknown = (value: number) => (pod: Pod) =>
    pod.metadata.uid === first?.metadata.uid ? undefined : value;
  cpu = unknown(70);
  await scale({ behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } });
  // (70 * 3 + 0) / (50 * 4) is near enough.
  expect(replicas()).toBe(4);
  cpu = unknown(25);
  await periods(1);
  // (25 * 3 + 100) / (50 * 4) too.
  expect(replicas()).toBe(4);
});

test('what pods use while they start is not counted on the way up', async () => {
  await target(2);
  const [young] = pods();
  objects().modify('pods', 'shop', young?.metadata.name ?? '', (pod) => {
    pod.status = {
      ...pod.status,
      startTime: timestamp(plane.clock.now()),
      conditions: [{ type: 'Ready', status: 'False' }],
    };
  });
  cpu = (pod) => (pod.metadata.uid === young?.metadata.uid ? 1000 : 75);
  await scale();
  // 75 of one pod, nothing of the other: (75 + 0) / 100 says less, so nothing is done.
  expect(replicas()).toBe(2);
});

test('a metric that cannot be read says why, and forbids to scale down', async () => {
  await target(3, { cpu: '100m' });
  cpu = () => 1;
  await scale({
    metrics: [utilization('cpu', 50), utilization('memory', 50)],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  });
  expect(replicas()).toBe(3);
  expect(conditionOf(scaler(), 'ScalingActive')).toMatchObject({
    status: 'False',
    reason: 'FailedGetResourceMetric',
  });
  expect(conditionOf(scaler(), 'ScalingActive')?.message).toContain(
    'missing request for memory in container c of Pod web-',
  );
  cpu = () => 100;
  await periods(1);
  expect(replicas()).toBe(6);
});

test('memory counts against an average', async () => {
  await target(2);
  const metric = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'AverageValue' as const, averageValue: '32Mi' } },
  };
  await scale({ metrics: [metric] });
  expect(replicas()).toBe(4);
  expect(scaler().status?.currentMetrics).toEqual([
    { type: 'Resource', resource: { name: 'memory', current: { averageValue: '64Mi' } } },
  ]);
});

test('a target at zero rests, one that is not there is reported', async () => {
  await target(0);
  await scale();
  expect(conditionOf(scaler(), 'ScalingActive')).toMatchObject({
    status: 'False',
    reason: 'ScalingDisabled',
  });
  objects().store.remove('replicasets.apps', 'shop', 'web');
  await periods(1);
  expect(conditionOf(scaler(), 'AbleToScale')).toMatchObject({ status: 'False', reason: 'FailedGetScale' });
});
