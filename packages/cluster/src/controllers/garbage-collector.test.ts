import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanUpDefinitions } from '../api/custom/cleanup.ts';
import { CLEANUP } from '../api/custom/admit-definition.ts';
import type { ConfigMap } from '../kinds/core.ts';
import type { KubeObject, OwnerReference } from '../store/types.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { garbageCollector } from './garbage-collector.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [garbageCollector(context)]);
});
afterEach(() => plane.stop());

type Reference = Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid' | 'blockOwnerDeletion'>;

const ownedBy = ({ apiVersion, kind, metadata }: KubeObject | ConfigMap, blocks = false): Reference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  ...(blocks ? { blockOwnerDeletion: true } : {}),
});

function map(
  name: string,
  owners: Reference[] = [],
  more: { namespace?: string; finalizers?: string[] } = {},
) {
  const { namespace = 'shop', finalizers } = more;
  return plane.context.objects.create('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      ...(owners.length > 0 ? { ownerReferences: owners } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
  });
}

const get = (name: string, namespace = 'shop') => plane.context.objects.get('configmaps', namespace, name);
const names = () => plane.context.objects.list('configmaps', 'shop').map(({ metadata }) => metadata.name);

async function remove(
  name: string,
  propagationPolicy: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> {
  plane.context.deletion.delete('configmaps', 'shop', name, { propagationPolicy });
  await plane.controllers.idle();
}

async function unpin(name: string): Promise<void> {
  const { objects, deletion } = plane.context;
  objects.modify('configmaps', 'shop', name, ({ metadata }) => {
    delete metadata.finalizers;
  });
  deletion.finish('configmaps', 'shop', name);
  await plane.controllers.idle();
}

test('a dependent of two owners goes with the last of them, and its reference to the first goes first', async () => {
  const [first, second] = [map('first'), map('second')];
  map('child', [ownedBy(first), ownedBy(second)]);
  await remove('first', 'Background');
  expect(get('child')?.metadata.ownerReferences).toEqual([ownedBy(second)]);
  await remove('second', 'Background');
  expect(names()).toEqual([]);
});

test('an owner that goes in the foreground does not take what another owner keeps', async () => {
  const [first, second] = [map('first'), map('second')];
  map('child', [ownedBy(first, true), ownedBy(second)]);
  await remove('first', 'Foreground');
  expect(get('first')).toBeUndefined();
  expect(get('child')?.metadata.deletionTimestamp).toBeUndefined();
  expect(get('child')?.metadata.ownerReferences).toEqual([ownedBy(second)]);
});

test('only dependents that block are waited for in the foreground', async () => {
  const owner = map('owner');
  map('blocks', [ownedBy(owner, true)], { finalizers: ['x.y/hold'] });
  map('follows', [ownedBy(owner)], { finalizers: ['x.y/hold'] });
  await remove('owner', 'Foreground');
  expect(get('owner')).toBeDefined();
  await unpin('blocks');
  expect(names()).toEqual(['follows']);
  expect(get('follows')?.metadata.deletionTimestamp).toBeDefined();
});

test('an owner in another namespace, or another object of its name, is none', async () => {
  const stranger = map('owner', [], { namespace: 'other' });
  map('child', [ownedBy(stranger)]);
  const owner = map('owner');
  map('late', [{ ...ownedBy(owner), uid: 'of-one-before' }]);
  map('stays', [ownedBy(owner)]);
  await plane.controllers.idle();
  expect(names()).toEqual(['owner', 'stays']);
  expect(plane.eventTexts()).toEqual([
    `OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: shop, name: owner, uid: ${stranger.metadata.uid}] does not exist in namespace "shop"`,
  ]);
});

test('a dependent that says how its own dependents are to be dealt with is obeyed', async () => {
  const owner = map('owner');
  const child = map('child', [ownedBy(owner)], { finalizers: ['orphan'] });
  map('grandchild', [ownedBy(child)]);
  await plane.controllers.idle();
  await remove('owner', 'Background');
  expect(names()).toEqual(['grandchild']);
  expect(get('grandchild')?.metadata.ownerReferences).toBeUndefined();
});

test('objects that own each other do not wait for each other', async () => {
  const first = map('first');
  const second = map('second', [ownedBy(first, true)]);
  plane.context.objects.modify('configmaps', 'shop', 'first', ({ metadata }) => {
    metadata.ownerReferences = [ownedBy(second, true)];
  });
  await remove('first', 'Foreground');
  expect(names()).toEqual([]);
});

test('a kind nobody knows may still come: what it owns is left alone', async () => {
  map('child', [{ apiVersion: 'shop.example.com/v1', kind: 'Shirt', name: 'x', uid: 'u' }]);
  await plane.controllers.idle();
  expect(names()).toEqual(['child']);
});

test('what custom resources own goes with them, also when their whole definition goes', async () => {
  const { objects, clock, deletion } = plane.context;
  const stop = cleanUpDefinitions({ store: objects.store, clock });
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'shirts.shop.example.com', finalizers: [CLEANUP] },
    spec: {
      group: 'shop.example.com',
      scope: 'Namespaced',
      names: { plural: 'shirts', kind: 'Shirt' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  };
  const shirt = (name: string) =>
    objects.store.create('shirts.shop.example.com', {
      apiVersion: 'shop.example.com/v1',
      kind: 'Shirt',
      metadata: { name, namespace: 'shop' },
    } as unknown as KubeObject);
  objects.store.create('customresourcedefinitions.apiextensions.k8s.io', definition as unknown as KubeObject);
  const [red, blue] = [shirt('red'), shirt('blue')];
  map('of-red', [ownedBy(red)]);
  map('of-blue', [ownedBy(blue, true)]);
  await plane.controllers.idle();
  deletion.delete('shirts.shop.example.com', 'shop', 'red');
  await plane.controllers.idle();
  expect(names()).toEqual(['of-blue']);
  deletion.delete('customresourcedefinitions.apiextensions.k8s.io', undefined, 'shirts.shop.example.com');
  await plane.controllers.idle();
  expect(objects.store.list('shirts.shop.example.com')).toEqual([]);
  expect(names()).toEqual([]);
  stop();
});
