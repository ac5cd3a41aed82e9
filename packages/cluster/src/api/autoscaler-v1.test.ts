import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromFirstVersion, toFirstVersion } from './autoscaler-v1.ts';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

const V1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
const V2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const MERGE = 'application/merge-patch+json';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const scaler = (name: string, version: string, spec: object) => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef, maxReplicas: 5, ...spec },
});
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

describe('autoscaling/v1', () => {
  it('is the same object: the CPU is a field there and a metric here', async () => {
    const made = await under.send('POST', V1, {
      body: scaler('a', 'v1', { targetCPUUtilizationPercentage: 50 }),
    });
    expect(made.code).toBe(201);
    expect(made.body).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 50 },
    });
    expect(made.body.spec).not.toHaveProperty('metrics');
    const other = (await under.send('GET', `${V2}/a`)).body;
    expect(other).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { metrics: [cpu(50)] } });
    expect(other.metadata).not.toHaveProperty('annotations');
    expect(other.metadata.resourceVersion).toBe(made.body.metadata.resourceVersion);
    await under.send('PATCH', `${V2}/a`, { body: { spec: { metrics: [cpu(70)] } }, type: MERGE });
    expect((await under.send('GET', `${V1}/a`)).body.spec.targetCPUUtilizationPercentage).toBe(70);
  });

  it('keeps what it has no field for in annotations, and a write through it loses nothing', async () => {
    const memory = {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } },
    };
    const queue = {
      type: 'External',
      external: {
        metric: { name: 'depth', selector: { matchLabels: { queue: 'q' } } },
        target: { type: 'Value', value: '30' },
      },
    };
    const behavior = { scaleDown: { selectPolicy: 'Disabled' } };
    const body = scaler('b', 'v2', { metrics: [cpu(60), memory, queue], behavior });
    const { spec } = (await under.send('POST', V2, { body })).body;
    const first = (await under.send('GET', `${V1}/b`)).body;
    const notes = first.metadata.annotations;
    expect(JSON.parse(notes['autoscaling.alpha.kubernetes.io/metrics'])).toEqual([
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '100Mi' } },
      {
        type: 'External',
        external: { metricName: 'depth', metricSelector: { matchLabels: { queue: 'q' } }, targetValue: '30' },
      },
    ]);
    expect(JSON.parse(notes['autoscaling.alpha.kubernetes.io/behavior'])).toEqual({
      ScaleDown: { SelectPolicy: 'Disabled' },
    });
    first.spec.maxReplicas = 9;
    expect((await under.send('PUT', `${V1}/b`, { body: first })).code).toBe(200);
    const after = (await under.send('GET', `${V2}/b`)).body;
    expect(after.spec).toEqual({ ...spec, maxReplicas: 9 });
    expect(after.metadata).not.toHaveProperty('annotations');
  });

  it('is listed, watched, patched and applied in its own form', async () => {
    const apply = (share: number) =>
      under.send('PATCH', `${V1}/c?fieldManager=me`, {
        body: scaler('c', 'v1', { targetCPUUtilizationPercentage: share }),
        type: 'application/apply-patch+yaml',
      });
    expect((await apply(40)).code).toBe(201);
    const again = await apply(40);
    expect([again.code, again.body.spec.targetCPUUtilizationPercentage]).toEqual([200, 40]);
    const strategic = {
      body: { spec: { targetCPUUtilizationPercentage: 45 } },
      type: MERGE.replace('merge', 'strategic-merge'),
    };
    expect((await under.send('PATCH', `${V1}/c`, strategic)).body.spec.targetCPUUtilizationPercentage).toBe(
      45,
    );
    const { items } = (await under.send('GET', V1)).body;
    expect(items.every(({ apiVersion }: { apiVersion: string }) => apiVersion === 'autoscaling/v1')).toBe(
      true,
    );
    const watch = await under.watch(`${V1}?watch=true&fieldSelector=metadata.name%3Dc&timeoutSeconds=1`);
    await watch.ended;
    expect(watch.lines[0]).toMatchObject({
      object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 45 } },
    });
    const found = (await under.send('GET', '/apis/autoscaling')).body;
    expect(found.preferredVersion.version).toBe('v2');
    expect(found.versions).toHaveLength(2);
  });

  it('goes by 80% of the CPU when it names nothing, and refuses what makes no sense', async () => {
    const { body } = await under.send('POST', V1, { body: scaler('d', 'v1', {}) });
    expect(body.spec.targetCPUUtilizationPercentage).toBe(80);
    const refused = await under.send('POST', V1, { body: scaler('e', 'v1', { minReplicas: 6 }) });
    expect([refused.code, refused.body.message]).toEqual([
      422,
      expect.stringContaining(
        'spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`',
      ),
    ]);
    const bad = scaler('f', 'v1', {});
    const annotations = { 'autoscaling.alpha.kubernetes.io/metrics': '[{"type":' };
    const answer = await under.send('POST', V1, { body: { ...bad, metadata: { name: 'f', annotations } } });
    expect(answer.code).toBe(400);
  });
});

it('what is measured is shown in both forms', () => {
  const meta = { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  const status = {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 55, averageValue: '110m' } },
      },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True', reason: 'SucceededRescale' }],
  };
  const object = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: meta,
    spec: { scaleTargetRef, maxReplicas: 5, metrics: [cpu(50)] },
    status,
  };
  const first = toFirstVersion(object);
  expect(first.status).toEqual({
    currentReplicas: 2,
    desiredReplicas: 3,
    currentCPUUtilizationPercentage: 55,
  });
  expect(fromFirstVersion(first)).toEqual(object);
});
