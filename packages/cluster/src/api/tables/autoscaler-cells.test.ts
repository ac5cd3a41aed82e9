import { expect, it } from 'vitest';
import { autoscalerTargets } from './autoscaler-cells.ts';

const metadata = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const head = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata };
const resource = (name: string, amounts: object, word = 'target') => ({
  type: 'Resource',
  resource: { name, [word]: amounts },
});

it('targets show what was measured of what is aimed at, two of them', () => {
  const metrics = [
    resource('cpu', { type: 'Utilization', averageUtilization: 80 }),
    resource('memory', { type: 'AverageValue', averageValue: '100Mi' }),
    {
      type: 'External',
      external: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '3' } },
    },
  ];
  const currentMetrics = [resource('cpu', { averageUtilization: 12, averageValue: '120m' }, 'current')];
  expect(autoscalerTargets({ ...head, spec: { metrics }, status: { currentMetrics } })).toBe(
    'cpu: 12%/80%, memory: <unknown>/100Mi + 1 more...',
  );
  expect(autoscalerTargets({ ...head, spec: { metrics: metrics.slice(2) } })).toBe('<unknown>/3 (avg)');
  expect(autoscalerTargets({ ...head, spec: {} })).toBe('<none>');
});
