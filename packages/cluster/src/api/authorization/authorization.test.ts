import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest, Reply } from '../testing/api-under-test.ts';
import { ensureDefaultRoles } from './bootstrap.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const PODS = '/api/v1/namespaces/default/pods';
const ROBOT = 'system:serviceaccount:default:robot';

let under: ApiUnderTest;
let token: string;

beforeEach(async () => {
  under = await startApi();
  await admin('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
  const account = { namespace: 'default', serviceAccount: 'robot', expirationSeconds: 600 };
  token = under.api.tokens.issue(account)?.token ?? '';
});
afterEach(() => under.close());

async function admin(method: string, path: string, body?: unknown): Promise<Reply> {
  const reply = await under.send(method, path, { body });
  expect(reply.text, `${method} ${path}`).not.toContain('"Failure"');
  return reply;
}

const robot = (method: string, path: string, body?: unknown, headers = {}): Promise<Reply> =>
  under.send(method, path, {
    body,
    anonymous: true,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });

const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }];
const ref = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });

async function allow(name: string, rules: readonly object[]): Promise<void> {
  await admin('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name }, rules });
  const body = { metadata: { name }, roleRef: ref('Role', name), subjects };
  await admin('POST', `${RBAC}/namespaces/default/rolebindings`, body);
}

describe('a service account', () => {
  test('may look at what there is, and do nothing else', async () => {
    expect((await robot('GET', '/api')).code).toBe(200);
    const refused = await robot('GET', PODS);
    expect(refused.code).toBe(403);
    expect(refused.body).toMatchObject({
      reason: 'Forbidden',
      message: `pods is forbidden: User "${ROBOT}" cannot list resource "pods" in API group "" in the namespace "default"`,
      details: { kind: 'pods' },
    });
    expect((await robot('GET', '/metrics')).body.message).toBe(
      `forbidden: User "${ROBOT}" cannot get path "/metrics"`,
    );
    expect((await robot('GET', `${PODS}/p`)).body.message).toContain('pods "p" is forbidden: User');
    expect((await robot('GET', '/api/v1/nodes')).body.message).toContain('at the cluster scope');
  });

  test('may do what a role in its namespace says, there only', async () => {
    await allow('reader', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }]);
    expect((await robot('GET', PODS)).code).toBe(200);
    expect((await robot('GET', '/api/v1/pods')).code).toBe(403);
    expect((await robot('GET', `${PODS}?watch=true`)).code).toBe(403);
    expect((await robot('DELETE', `${PODS}/p`)).code).toBe(403);
    expect((await robot('GET', '/api/v1/namespaces/kube-system/pods')).code).toBe(403);
  });

  test('needs create as well to apply what is not there yet', async () => {
    await allow('patcher', [{ verbs: ['patch'], apiGroups: [''], resources: ['configmaps'] }]);
    const apply = (name: string) =>
      under.send('PATCH', `/api/v1/namespaces/default/configmaps/${name}?fieldManager=t`, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } },
        type: 'application/apply-patch+yaml',
        anonymous: true,
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await apply('fresh')).code).toBe(403);
    await admin('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'there' } });
    expect((await apply('there')).code).toBe(200);
  });

  test('may not give away what it does not hold', async () => {
    const rbac = ['roles', 'rolebindings'];
    await allow('granter', [
      { verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: rbac },
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
    ]);
    const role = (verbs: string[]) => ({
      metadata: { name: 'gift' },
      rules: [{ verbs, apiGroups: [''], resources: ['pods'] }],
    });
    const roles = `${RBAC}/namespaces/default/roles`;
    // A star over verbs holds `escalate` and `bind` too.
    expect((await robot('POST', roles, role(['delete']))).code).toBe(201);
    await admin('DELETE', `${roles}/gift`);
    await admin('PUT', `${roles}/granter`, {
      metadata: { name: 'granter' },
      rules: [
        { verbs: ['create', 'update', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: rbac },
        { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      ],
    });
    const refused = await robot('POST', roles, role(['get', 'delete']));
    expect(refused.code).toBe(403);
    expect(refused.body.message).toContain('is attempting to grant RBAC permissions not currently held:');
    expect(refused.body.message).toContain('{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}');
    expect((await robot('POST', roles, role(['get']))).code).toBe(201);
    const binding = (name: string) => ({ metadata: { name }, roleRef: ref('ClusterRole', name), subjects });
    const bindings = `${RBAC}/namespaces/default/rolebindings`;
    expect((await robot('POST', bindings, binding('cluster-admin'))).code).toBe(403);
    expect((await robot('POST', bindings, binding('system:basic-user'))).code).toBe(201);
  });
});

describe('acting as another', () => {
  const as = { 'impersonate-user': ROBOT };

  test('an administrator sees what a service account may do', async () => {
    expect((await under.send('GET', PODS, { headers: as })).code).toBe(403);
    await allow('reader', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]);
    expect((await under.send('GET', PODS, { headers: as })).code).toBe(200);
    const groups = { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' };
    expect((await under.send('GET', PODS, { headers: groups })).code).toBe(200);
  });

  test('others need to be allowed to', async () => {
    expect((await robot('GET', PODS, undefined, { 'impersonate-user': 'jane' })).body.message).toBe(
      `users "jane" is forbidden: User "${ROBOT}" cannot impersonate resource "users" in API group "" at the cluster scope`,
    );
    expect((await under.send('GET', PODS, { headers: { 'impersonate-group': 'a' } })).code).toBe(400);
    const extra = { ...as, 'impersonate-extra-scopes': 'a' };
    expect((await under.send('GET', PODS, { headers: extra })).code).toBe(400);
  });
});

describe('questions', () => {
  const ask = async (kind: string, spec: unknown, send = admin) =>
    (await send('POST', `/apis/authorization.k8s.io/v1/${kind}`, { spec })).body.status;
  const list = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' } };

  test('can I? can they?', async () => {
    expect(await ask('selfsubjectaccessreviews', list)).toEqual({ allowed: true });
    expect(await ask('selfsubjectaccessreviews', list, robot)).toEqual({ allowed: false });
    await allow('reader', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]);
    expect(await ask('subjectaccessreviews', { ...list, user: ROBOT })).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to ServiceAccount "robot/default"',
    });
    const path = { nonResourceAttributes: { verb: 'get', path: '/metrics' } };
    expect(await ask('subjectaccessreviews', { ...path, user: 'jane' })).toEqual({ allowed: false });
  });

  test('what may I?', async () => {
    await allow('reader', [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]);
    const { resourceRules, nonResourceRules } = await ask(
      'selfsubjectrulesreviews',
      { namespace: 'default' },
      robot,
    );
    expect(resourceRules).toContainEqual({ verbs: ['list'], apiGroups: [''], resources: ['pods'] });
    expect(nonResourceRules[0].nonResourceURLs).toContain('/healthz');
  });

  test('an answer is no table', async () => {
    const reply = await under.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(reply).toMatchObject({ code: 406, body: { reason: 'NotAcceptable' } });
  });

  test('a question about nothing is refused', async () => {
    const reply = await under.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: {},
    });
    expect(reply.code).toBe(400);
  });
});

test('the default roles are repaired at a start, unless that was declined', async () => {
  const path = `${RBAC}/clusterroles/system:basic-user`;
  await admin('PUT', path, { metadata: { name: 'system:basic-user' }, rules: [] });
  ensureDefaultRoles(under.store);
  const stored = await admin('GET', path);
  // The annotation was lost with that write, and counts as given.
  expect(stored.body.rules).not.toEqual([]);
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await admin('PUT', path, { metadata: { name: 'system:basic-user', annotations }, rules: [] });
  ensureDefaultRoles(under.store);
  expect((await admin('GET', path)).body.rules).toEqual([]);
});
