import { jsonLogger } from '@updraft/kit';
import { expect, test } from 'vitest';
import { checkNamespaceIsOpen } from '../api/admission/policies/namespace-lifecycle.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { testContext } from '../testing/control-plane.ts';
import { startControllers } from './controller.ts';
import type { Controller } from './controller.ts';

test('what cannot be made in a namespace that ends is neither logged nor tried again; other failures are', async () => {
  const clock = new FakeClock();
  const logged: string[] = [];
  const context = { ...testContext(clock), logger: jsonLogger((line) => void logged.push(line)) };
  const { store } = context.objects;
  const tried: string[] = [];
  const controller: Controller = {
    name: 'maker',
    resources: ['namespaces'],
    keys: ({ object }) => [object.metadata.name],
    reconcile: (name) => {
      tried.push(name);
      if (name === 'broken') throw new Error('no');
      const subject = { group: '', plural: 'pods', kind: 'Pod' };
      const metadata = { name: 'p', namespace: name, uid: '', resourceVersion: '', creationTimestamp: '' };
      checkNamespaceIsOpen(store, subject, { apiVersion: 'v1', kind: 'Pod', metadata });
      return undefined;
    },
  };
  const controllers = startControllers([controller], context);
  for (const name of ['broken', 'ending'])
    context.objects.create('namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] },
      spec: {},
    });
  await controllers.idle();
  await clock.advance(100);
  expect(tried.filter((name) => name === 'ending')).toHaveLength(1);
  expect(tried.filter((name) => name === 'broken').length).toBeGreaterThan(1);
  expect(logged.filter((line) => line.includes('"key":"broken"')).length).toBeGreaterThan(1);
  expect(logged.filter((line) => line.includes('"key":"ending"'))).toEqual([]);
  await controllers.stop();
});
