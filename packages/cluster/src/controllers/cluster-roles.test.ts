import { expect, test } from 'vitest';
import { ensureDefaultRoles } from '../api/authorization/bootstrap.ts';
import { startPlane } from '../testing/control-plane.ts';
import { clusterRoleController } from './cluster-roles.ts';

const RESOURCE = 'clusterroles.rbac.authorization.k8s.io';
const CUSTOM = { verbs: ['get'], apiGroups: ['example.org'], resources: ['widgets'] };

test('aggregated roles are made of those that are labelled for them, and follow them', async () => {
  const plane = startPlane((context) => {
    ensureDefaultRoles(context.objects.store);
    return [clusterRoleController(context)];
  });
  const { store } = plane.context.objects;
  const rulesOf = (name: string) => store.get(RESOURCE, undefined, name)?.['rules'];
  await plane.controllers.idle();
  const view = rulesOf('view') as object[];
  expect(view.length).toBeGreaterThan(5);
  expect(rulesOf('edit')).toEqual(expect.arrayContaining(view));
  expect(rulesOf('admin')).toEqual(expect.arrayContaining(rulesOf('edit') as object[]));
  store.create(RESOURCE, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'widgets',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    },
    rules: [CUSTOM],
  });
  await plane.controllers.idle();
  for (const name of ['view', 'edit', 'admin']) expect(rulesOf(name)).toContainEqual(CUSTOM);
  store.remove(RESOURCE, undefined, 'widgets');
  await plane.controllers.idle();
  for (const name of ['view', 'edit', 'admin']) expect(rulesOf(name)).not.toContainEqual(CUSTOM);
  await plane.stop();
});
