import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { Json, LiveCluster } from '../testing/live-cluster.ts';

/** Keeps a core busy for a third of the time. */
const BUSY = `setInterval(() => { const end = Date.now() + 30; while (Date.now() < end); }, 100);`;

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'busy:1': { Cmd: [NODE_IN_CONTAINER, '-e', BUSY] } });
  await live.api('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
  });
});
afterAll(() => live.close());

const get = async (url: string): Promise<Json> => (await live.api('GET', url)).body;
const metadata = { name: 'web', namespace: 'shop' };

test('a busy Deployment is measured and scaled by what it uses', async () => {
  const resources = { requests: { cpu: '100m' } };
  await live.api('POST', '/apis/apps/v1/namespaces/shop/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'busy:1', resources }] },
      },
    },
  });
  const deployment = '/apis/apps/v1/namespaces/shop/deployments/web';
  await live.until('it runs', async () => (await get(deployment)).status.readyReplicas === 1);
  const { items } = await get('/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods');
  const cpu = Number.parseInt(items[0].containers[0].usage.cpu, 10) / 1e6;
  expect(cpu).toBeGreaterThan(30);
  expect(Number.parseInt(items[0].containers[0].usage.memory, 10)).toBeGreaterThan(1024);
  const nodes = await get('/apis/metrics.k8s.io/v1beta1/nodes');
  expect(Number.parseInt(nodes.items[0].usage.cpu, 10)).toBeGreaterThan(0);
  await live.api('POST', '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers', {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 2,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 20 } },
        },
      ],
    },
  });
  await live.until('it is two', async () => (await get(deployment)).status.readyReplicas === 2, 40_000);
}, 90_000);

test('a CronJob runs its pod within its minute, and the Job is kept', async () => {
  await live.api('POST', '/apis/batch/v1/namespaces/shop/cronjobs', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick', namespace: 'shop' },
    spec: {
      schedule: '@every 3s',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [{ name: 'c', image: 'busy:1', command: [NODE_IN_CONTAINER, '-e', '0'] }],
            },
          },
        },
      },
    },
  });
  const cron = '/apis/batch/v1/namespaces/shop/cronjobs/tick';
  await live.until(
    'a run succeeded',
    async () => (await get(cron)).status.lastSuccessfulTime !== undefined,
    40_000,
  );
  await live.api('DELETE', cron);
}, 60_000);
