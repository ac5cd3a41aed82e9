import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { pod } from './testing/manifests.ts';

const V1 = '/api/v1/namespaces/default';
const ACCOUNT = `${V1}/serviceaccounts/robot`;

let under: ApiUnderTest;
let clock: FakeClock;
beforeAll(async () => {
  clock = new FakeClock();
  under = await startApi({ clock });
});
afterAll(() => under.close());

const as = (token: string, path = `${V1}/pods`, method = 'GET') =>
  under.send(method, path, { anonymous: true, headers: { authorization: `Bearer ${token}` } });

async function tokenOf(spec: object = {}): Promise<string> {
  await under.send('POST', `${V1}/serviceaccounts`, { body: { metadata: { name: 'robot' } } });
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const { body: made } = await under.send('POST', `${ACCOUNT}/token`, { body });
  return made.status.token;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;

it('knows a good token, and lets it no further than its roles', async () => {
  const token = await tokenOf();
  expect((await as(token)).code).toBe(403);
  expect((await as(token, '/api')).code).toBe(200);
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }];
  await under.send('POST', `${rbac}/roles`, { body: { metadata: { name: 'reader' }, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  const subjects = [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }];
  await under.send('POST', `${rbac}/rolebindings`, { body: { metadata: { name: 'r' }, roleRef, subjects } });
  expect((await as(token)).code).toBe(200);
  for (const elsewhere of [
    '/api/v1/namespaces/kube-system/pods',
    '/api/v1/pods',
    '/api/v1/nodes',
    `${V1}/secrets`,
  ])
    expect((await as(token, elsewhere)).code).toBe(403);
  for (const [method, path] of [
    ['POST', `${V1}/pods`],
    ['DELETE', `${V1}/pods/x`],
    ['GET', `${V1}/pods/x/exec?command=sh`],
    ['PATCH', `${V1}/pods/x/ephemeralcontainers`],
    ['POST', `${ACCOUNT}/token`],
  ] as const)
    expect((await as(token, path, method)).code).toBe(403);
});

it('does not know one that was altered, has no signature, or another one’s', async () => {
  const token = await tokenOf();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = decode(payload);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const signed = (head: string, body: string, key = other) =>
    `${head}.${body}.${sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  const admin = encode({ ...claims, sub: 'system:serviceaccount:kube-system:admin' });
  const mac = (head: string, key: string) =>
    `${head}.${payload}.${createHmac('sha256', key).update(`${head}.${payload}`).digest('base64url')}`;
  const hs256 = encode({ ...decode(header), alg: 'HS256' });
  const forged = {
    'another payload': `${header}.${admin}.${signature}`,
    'no algorithm': `${encode({ alg: 'none' })}.${payload}.`,
    'no algorithm, signed': `${encode({ ...decode(header), alg: 'none' })}.${payload}.${signature}`,
    'no signature': `${header}.${payload}.`,
    'two parts': `${header}.${payload}`,
    'four parts': `${token}.x`,
    'another key': signed(header, payload),
    'another kind of key': signed(encode({ ...decode(header), alg: 'RS256' }), payload, rsa),
    'its own key inside': signed(
      encode({ ...decode(header), jwk: createPublicKey(other).export({ format: 'jwk' }) }),
      payload,
    ),
    'a secret that is no secret': mac(hs256, under.credentials.ca),
    zeroes: `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    nothing: '',
    rubbish: 'x.y.z',
    'a long one': 'x'.repeat(8000),
  };
  for (const [what, bad] of Object.entries(forged)) expect([what, (await as(bad)).code]).toEqual([what, 401]);
  expect((await as(token)).code).not.toBe(401);
});

it('knows a token as long as it lasts, and what it is bound to', async () => {
  const brief = await tokenOf({ expirationSeconds: 600 });
  const { body: made } = await under.send('POST', `${V1}/pods`, { body: pod('bound') });
  const { name, uid } = made.metadata;
  const bound = await tokenOf({
    expirationSeconds: 86_400,
    boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
  });
  const foreign = await tokenOf({ expirationSeconds: 86_400, audiences: ['vault'] });
  const lasting = await tokenOf({ expirationSeconds: 86_400 });
  const known = async () =>
    Promise.all([brief, bound, foreign, lasting].map(async (one) => (await as(one)).code !== 401));
  expect(await known()).toEqual([true, true, false, true]);
  await clock.advance(601_000);
  expect(await known()).toEqual([false, true, false, true]);
  await under.send('DELETE', `${V1}/pods/bound?gracePeriodSeconds=0`);
  expect((await under.send('POST', `${V1}/pods`, { body: pod('bound') })).code).toBe(201);
  expect(await known()).toEqual([false, false, false, true]);
  await under.send('DELETE', ACCOUNT);
  expect(await known()).toEqual([false, false, false, false]);
  await tokenOf();
  expect(await known()).toEqual([false, false, false, false]);
});

it('tells strangers of its health and version, and nothing else by any spelling', async () => {
  const ask = async (method: string, path: string) =>
    (await under.send(method, path, { anonymous: true })).code;
  for (const path of ['/healthz', '/livez', '/readyz', '/readyz/etcd', '/version', '/healthz?verbose'])
    expect([path, await ask('GET', path)]).toEqual([path, 200]);
  const closed = [
    '/',
    '/api',
    '/apis',
    '/api/v1',
    `${V1}/secrets`,
    '/openapi/v2',
    '/openapi/v3',
    '/metrics',
    '/logs',
    '/debug/pprof',
  ];
  const tricks = [
    '/healthzz',
    '/healthz/../api/v1/secrets',
    '/healthz/%2e%2e/api/v1/secrets',
    '//healthz/../../api',
    '/version/',
    '/version/../api',
    '/api/v1/namespaces/default/pods/x/exec',
    '/healthz/..%2fapi',
  ];
  for (const path of [...closed, ...tricks.filter((trick) => trick !== '/healthz/..%2fapi')])
    for (const method of ['GET', 'POST', 'DELETE'])
      expect([path, method, await ask(method, path)]).toEqual([path, method, 401]);
  const health = await under.send('GET', '/healthz/..%2fapi', { anonymous: true });
  expect(health.text).toBe('ok');
});
