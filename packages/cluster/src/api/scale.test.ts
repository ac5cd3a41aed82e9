import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const template = {
  metadata: { labels: { tier: 'front', app: 'shop' } },
  spec: { containers: [{ name: 'c', image: 'web:1' }] },
};

it('tells of a ReplicationController, whose selector is a plain map, how its pods are selected', async () => {
  const path = '/api/v1/namespaces/default/replicationcontrollers';
  const body = {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'old' },
    spec: { template },
  };
  expect((await under.send('POST', path, { body })).code).toBe(201);
  const scale = await under.send('GET', `${path}/old/scale`);
  expect(scale.body).toMatchObject({ spec: { replicas: 1 }, status: { selector: 'app=shop,tier=front' } });
});

it('writes requirements in the order of their keys, and none as nothing', async () => {
  const path = '/apis/apps/v1/namespaces/default/replicasets';
  const selector = {
    matchLabels: { tier: 'front' },
    matchExpressions: [{ key: 'app', operator: 'In', values: ['shop', 'cart'] }],
  };
  const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'set' } };
  expect((await under.send('POST', path, { body: { ...set, spec: { selector, template } } })).code).toBe(201);
  const scale = await under.send('GET', `${path}/set/scale`);
  expect(scale.body.status.selector).toBe('app in (cart,shop),tier=front');
});
