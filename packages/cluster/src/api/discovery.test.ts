import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const ROLES = '/apis/rbac.authorization.k8s.io/v1';

it.each([
  // A client that knows the kind from before it was made anew for the whole cluster.
  ['GET', `${ROLES}/namespaces/default/clusterroles/admin`],
  ['GET', `${ROLES}/namespaces/default/clusterroles`],
  ['POST', `${ROLES}/namespaces/default/clusterroles`],
  ['GET', `${ROLES}/nothing`],
  ['GET', `${ROLES}/nothing/at/all`],
  ['GET', '/apis/rbac.authorization.k8s.io/v2'],
  ['GET', '/api/v1/namespaces/default/nodes/a'],
])('%s %s is nowhere, and no list of resources', async (method, path) => {
  const reply = await under.send(method, path, method === 'POST' ? { body: {} } : {});
  expect(reply.body).toMatchObject({ code: 404, kind: 'Status' });
});

it('lists what a group has', async () => {
  expect((await under.send('GET', ROLES)).body.kind).toBe('APIResourceList');
  expect((await under.send('GET', '/apis/rbac.authorization.k8s.io')).body.kind).toBe('APIGroup');
});
