import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { deploymentController } from './deployment/deployment.ts';
import { garbageCollector } from './garbage-collector.ts';
import { ensureSystemNamespaces, namespaceController } from './namespace.ts';
import { replicaSetController } from './replica-set.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => {
    ensureSystemNamespaces(context);
    return [
      namespaceController(context, 'PEM'),
      deploymentController(context),
      replicaSetController(context),
      garbageCollector(context),
    ];
  });
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;

function shop(): void {
  objects().create('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
    spec: { finalizers: ['kubernetes'] },
  });
  objects().create('deployments.apps', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'a' }] } },
    },
  });
}

test('every namespace has its ServiceAccount and the certificate of the API', async () => {
  await plane.controllers.idle();
  for (const namespace of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    expect(objects().get('serviceaccounts', namespace, 'default')).toBeDefined();
    expect(objects().get('configmaps', namespace, 'kube-root-ca.crt')?.data).toEqual({ 'ca.crt': 'PEM' });
  }
  objects().store.remove('configmaps', 'default', 'kube-root-ca.crt');
  await plane.controllers.idle();
  expect(objects().get('configmaps', 'default', 'kube-root-ca.crt')).toBeDefined();
  objects().modify('configmaps', 'default', 'kube-root-ca.crt', (map) => {
    map.data = { 'ca.crt': 'another' };
  });
  await plane.controllers.idle();
  expect(objects().get('configmaps', 'default', 'kube-root-ca.crt')?.data).toEqual({ 'ca.crt': 'PEM' });
});

test('a deleted namespace goes after its contents, which nobody makes anew', async () => {
  shop();
  await plane.controllers.idle();
  for (const pod of objects().list('pods', 'shop')) plane.ready(pod);
  await plane.controllers.idle();
  plane.context.deletion.delete('namespaces', undefined, 'shop');
  await plane.controllers.idle();
  expect(objects().get('namespaces', undefined, 'shop')?.status?.phase).toBe('Terminating');
  // What the pods may need stays until they have gone.
  expect(objects().list('deployments.apps', 'shop')).toHaveLength(1);
  expect(objects().get('serviceaccounts', 'shop', 'default')).toBeDefined();
  expect(objects().list('pods', 'shop')).toHaveLength(2);
  plane.bury();
  await plane.controllers.idle();
  expect(objects().list('pods', 'shop')).toEqual([]);
  expect(objects().list('deployments.apps', 'shop')).toEqual([]);
  expect(objects().get('namespaces', undefined, 'shop')).toBeUndefined();
  expect(objects().list('serviceaccounts', 'shop')).toEqual([]);
});

test('a namespace that cannot go says what it waits for, and leaves finalizers of others to them', async () => {
  shop();
  objects().modify('namespaces', undefined, 'shop', (namespace) => {
    namespace.spec = { finalizers: ['kubernetes', 'shop.example.com/mine'] };
  });
  objects().create('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'held', namespace: 'shop', finalizers: ['x.y/hold'] },
  });
  plane.context.deletion.delete('namespaces', undefined, 'shop');
  await plane.controllers.idle();
  const conditions = () => objects().get('namespaces', undefined, 'shop')?.status?.conditions ?? [];
  expect(conditions().map(({ type, status }) => `${type} ${status}`)).toEqual([
    'NamespaceDeletionDiscoveryFailure False',
    'NamespaceDeletionGroupVersionParsingFailure False',
    'NamespaceDeletionContentFailure False',
    'NamespaceContentRemaining True',
    'NamespaceFinalizersRemaining True',
  ]);
  expect(conditions().map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'Some resources are remaining: configmaps. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: x.y/hold in 1 resource instances',
    ]),
  );
  objects().modify('configmaps', 'shop', 'held', ({ metadata }) => {
    delete metadata.finalizers;
  });
  plane.context.deletion.finish('configmaps', 'shop', 'held');
  await plane.controllers.idle();
  const namespace = objects().get('namespaces', undefined, 'shop');
  expect(namespace?.spec).toEqual({ finalizers: ['shop.example.com/mine'] });
  expect(conditions().every(({ status }) => status === 'False')).toBe(true);
  objects().modify('namespaces', undefined, 'shop', (stored) => {
    stored.spec = { finalizers: [] };
  });
  await plane.controllers.idle();
  expect(objects().get('namespaces', undefined, 'shop')).toBeUndefined();
});
