import { expect, test } from 'vitest';
import { testContext } from '../testing/control-plane.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Usages } from '../metrics/usage.ts';
import type { ApiContext } from './context.ts';
import { metrics } from './metrics.ts';
import type { ApiRequest } from './request.ts';

const usage = { atMs: Date.parse('2026-01-01T00:00:15Z'), windowMs: 15_000 };

function ask(
  plural: string,
  options: { name?: string; method?: string; query?: string; off?: boolean } = {},
) {
  const { objects } = testContext(new FakeClock());
  const pod = (name: string, phase: 'Running' | 'Pending') =>
    objects.create('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', labels: { app: name } },
      spec: { containers: [] },
      status: { phase },
    });
  pod('web', 'Running');
  pod('new', 'Pending');
  objects.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: {} });
  const all = async (things: readonly { metadata: { uid: string } }[]): Promise<Usages> =>
    new Map(
      things.map(({ metadata }) => [
        metadata.uid,
        { ...usage, containers: [{ name: 'c', cpuMilli: 12.5, memoryBytes: 2048 }] },
      ]),
    );
  const port = options.off ? {} : { metrics: { usage: all, nodeUsage: all } };
  const context = { store: objects.store, kubelet: port } as unknown as ApiContext;
  const request = {
    method: options.method ?? 'GET',
    query: new URLSearchParams(options.query ?? ''),
  } as unknown as ApiRequest;
  return metrics(context, request, {
    apiVersion: 'metrics.k8s.io/v1beta1',
    type: undefined,
    plural,
    namespace: plural === 'pods' ? 'shop' : undefined,
    name: options.name,
    subresource: undefined,
  });
}

test('running pods are shown with what their containers use', async () => {
  const { body } = await ask('pods');
  expect(body).toEqual({
    kind: 'PodMetricsList',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {},
    items: [
      {
        kind: 'PodMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: {
          name: 'web',
          namespace: 'shop',
          creationTimestamp: '2026-01-01T00:00:15Z',
          labels: { app: 'web' },
        },
        timestamp: '2026-01-01T00:00:15Z',
        window: '15.000s',
        containers: [{ name: 'c', usage: { cpu: '12500000n', memory: '2Ki' } }],
      },
    ],
  });
  expect((await ask('pods', { query: 'labelSelector=app%3Dnew' })).body).toMatchObject({ items: [] });
});

test('one of them, the node, and what is not there', async () => {
  expect((await ask('pods', { name: 'web' })).body).toMatchObject({ kind: 'PodMetrics' });
  expect((await ask('nodes')).body).toMatchObject({
    kind: 'NodeMetricsList',
    items: [{ metadata: { name: 'node' }, usage: { cpu: '12500000n' } }],
  });
  await expect(ask('pods', { name: 'new' })).rejects.toThrow('pods.metrics.k8s.io "shop/new" not found');
  await expect(ask('pods', { method: 'POST' })).rejects.toThrow('does not allow this method');
  await expect(ask('services')).rejects.toThrow('could not find');
  await expect(ask('pods', { off: true })).rejects.toThrow('nobody measures');
});
