import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyUnroutable } from '../../kinds/special-addresses.ts';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';
import { configMap, deployment } from '../testing/manifests.ts';
import { configureIn, publish } from './testing/configure.ts';
import type { Wish } from './testing/configure.ts';
import { patching, startFakeWebhook } from './testing/fake-webhook.ts';
import type { FakeWebhook } from './testing/fake-webhook.ts';

const NS = '/api/v1/namespaces/default';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1';

let under: ApiUnderTest;
let hook: FakeWebhook;
beforeAll(async () => {
  under = await startApi();
  hook = await startFakeWebhook(['hook.default.svc']);
  await publish(under, hook);
});
afterAll(async () => {
  await hook.close();
  await under.close();
});
beforeEach(() => hook.asked.splice(0));
afterEach(async () => {
  for (const kind of ['mutating', 'validating'])
    await under.send('DELETE', `${CONFIGURATIONS}/${kind}webhookconfigurations`);
  await under.send('DELETE', `${NS}/configmaps`);
});

const configure = async (name: string, wishes: Wish | Wish[]) => configureIn(under, hook, { name, wishes });

const deny = (status?: object) => () => ({ allowed: false, ...(status ? { status } : {}) });
const allow = () => ({ allowed: true });
const post = (name: string, more: object = {}, query = '') =>
  under.send('POST', `${NS}/configmaps${query}`, { body: { ...configMap(name, { a: '1' }), ...more } });

describe('validating webhooks', () => {
  it('are told what is asked, and what they deny is refused in their words', async () => {
    hook.on('/deny', deny({ message: 'no maps today', code: 403, reason: 'Forbidden' }));
    await configure('policy', {});
    const reply = await post('one', {}, '?fieldManager=me');
    expect(reply.code).toBe(403);
    expect(reply.body).toMatchObject({
      message: 'admission webhook "policy-0.example.com" denied the request: no maps today',
      reason: 'Forbidden',
      status: 'Failure',
    });
    expect(under.store.get('configmaps', 'default', 'one')).toBeUndefined();
    expect(hook.asked).toHaveLength(1);
    expect(hook.asked[0]).toMatchObject({
      reviewVersion: 'admission.k8s.io/v1',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'one',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { groups: expect.arrayContaining(['system:authenticated']) },
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        data: { a: '1' },
        metadata: { uid: expect.stringMatching(/-/) },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
    });
  });

  it('need not explain themselves', async () => {
    hook.on('/deny', deny());
    await configure('silent', {});
    const reply = await post('one');
    expect(reply.code).toBe(400);
    expect(reply.body.message).toBe(
      'admission webhook "silent-0.example.com" denied the request without explanation',
    );
    hook.on('/deny', deny({ reason: 'Because' }));
    expect((await post('one')).body.message).toMatch(/denied the request: Because$/);
  });

  it('see what is stored, and it is stored under the uid they were told', async () => {
    hook.on('/deny', allow);
    await configure('watching', {});
    const made = await under.send('POST', `${NS}/configmaps`, { body: { metadata: { generateName: 'x-' } } });
    expect(made.code).toBe(201);
    expect(hook.asked).toHaveLength(1);
    expect(hook.asked[0]?.name).toBeUndefined();
    expect(hook.asked[0]?.object.metadata).toMatchObject({
      name: made.body.metadata.name,
      uid: made.body.metadata.uid,
    });
  });

  it('are asked about changes, by whatever way they come, with what was there before', async () => {
    hook.on('/deny', (request) => ({ allowed: request.object?.data?.bad === undefined }));
    await post('one');
    await configure('changes', {});
    const merge = (data: object, type: string) =>
      under.send('PATCH', `${NS}/configmaps/one`, { body: { data }, type });
    for (const type of ['application/merge-patch+json', 'application/strategic-merge-patch+json'])
      expect((await merge({ bad: 'y' }, type)).code).toBe(400);
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { bad: 'z' } };
    const apply = { body, type: 'application/apply-patch+yaml' };
    expect((await under.send('PATCH', `${NS}/configmaps/one?fieldManager=a`, apply)).code).toBe(400);
    expect((await under.send('PUT', `${NS}/configmaps/one`, { body })).code).toBe(400);
    expect((await merge({ good: 'y' }, 'application/merge-patch+json')).code).toBe(200);
    expect(hook.asked.map(({ operation }) => operation)).toEqual(Array(5).fill('UPDATE'));
    expect(hook.asked[4]).toMatchObject({
      object: { data: { a: '1', good: 'y' } },
      oldObject: { data: { a: '1' } },
      options: { kind: 'UpdateOptions' },
    });
    expect(hook.asked[4]?.oldObject.data.good).toBeUndefined();
  });

  it('are asked about what an apply patch makes', async () => {
    hook.on('/deny', deny());
    await configure('applied', {});
    const body = configMap('fresh', { a: '1' });
    const path = `${NS}/configmaps/fresh?fieldManager=a`;
    const reply = await under.send('PATCH', path, { body, type: 'application/apply-patch+yaml' });
    expect(reply.code).toBe(400);
    expect(hook.asked[0]).toMatchObject({ operation: 'CREATE', options: { kind: 'CreateOptions' } });
  });

  it('keep objects from being deleted, each of a collection', async () => {
    hook.on('/deny', ({ oldObject }) => ({ allowed: oldObject.metadata.name !== 'kept' }));
    for (const name of ['gone', 'kept', 'later']) await post(name);
    await configure('deletions', { operations: ['DELETE'] });
    expect((await under.send('DELETE', `${NS}/configmaps/kept`)).code).toBe(400);
    expect(hook.asked[0]).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { data: { a: '1' } },
      options: { kind: 'DeleteOptions' },
    });
    expect((await under.send('DELETE', `${NS}/configmaps`)).code).toBe(400);
    const left = under.store.list('configmaps', 'default').map(({ metadata }) => metadata.name);
    expect(left).toEqual(['kept', 'later']);
    hook.on('/deny', allow);
    expect((await under.send('DELETE', `${NS}/configmaps`)).body.items).toHaveLength(2);
    expect(under.store.list('configmaps', 'default')).toEqual([]);
  });

  it('are all asked at once', async () => {
    const waiting: (() => void)[] = [];
    hook.on('/deny', async () => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 2) for (const go of waiting) go();
      });
      return { allowed: true };
    });
    await configure('together', [{}, {}]);
    expect((await post('one')).code).toBe(201);
    expect(hook.asked).toHaveLength(2);
  });

  it('give warnings, also with a refusal and in any script', async () => {
    hook.on('/deny', () => ({ allowed: true, warnings: ['mind the gap', 'Vorsicht: Lücke — 注意\nsecond'] }));
    await configure('warning', {});
    const reply = await post('one');
    expect(reply.code).toBe(201);
    const header = Buffer.from(String(reply.headers['warning']), 'latin1').toString('utf8');
    expect(header).toContain('299 - "mind the gap"');
    expect(header).toContain('299 - "Vorsicht: Lücke — 注意 second"');
    hook.on('/deny', () => ({ allowed: false, warnings: ['told you'] }));
    expect((await post('two')).headers['warning']).toBe('299 - "told you"');
  });

  it('are told that it is for show only', async () => {
    hook.on('/deny', allow);
    await post('old');
    await configure('dry', {});
    expect((await post('one', {}, '?dryRun=All')).code).toBe(201);
    await under.send('DELETE', `${NS}/configmaps/old`, { body: { dryRun: ['All'] } });
    expect(hook.asked.map(({ dryRun }) => dryRun)).toEqual([true, true]);
    expect(hook.asked[0]?.options.dryRun).toEqual(['All']);
  });
});

describe('webhooks that cannot be asked', () => {
  const failures: [string, string | undefined, Parameters<FakeWebhook['on']>[1]][] = [
    [
      'of whose server nothing is known',
      'the server could not find the requested resource',
      () => undefined as never,
    ],
    [
      'that answer for another request',
      'received invalid webhook response: expected response.uid=',
      () => ({ allowed: true, uid: 'x' }),
    ],
    [
      'that patch what they are to judge',
      'validating webhook may not return response.patch',
      () => patching({ op: 'test', path: '', value: 1 }),
    ],
    [
      'that answer with no JSON',
      'received invalid webhook response',
      () => (response) => response.end('<html>'),
    ],
    [
      'that send elsewhere',
      'has prevented the request from succeeding',
      () => (response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
    ],
    [
      'that hang up',
      'failed to call webhook: Post "https://hook.default.svc:443/odd?timeout=10s": ',
      () => (response) => response.destroy(),
    ],
    [
      'that answer without end',
      'the answer is too large',
      () => (response) => response.end('x'.repeat(5 * 1024 * 1024)),
    ],
  ];
  it.each(failures)('%s', async (_which, words, say) => {
    hook.on('/odd', say);
    await configure('odd', { path: '/odd' });
    const reply = await post('one');
    expect(reply.code).toBe(500);
    expect(reply.body.reason).toBe('InternalError');
    expect(reply.body.message).toMatch(
      /^Internal error occurred: failed calling webhook "odd-0.example.com": /,
    );
    expect(reply.body.message).toContain(words);
    await under.send('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/odd`);
    await configure('lenient', { path: '/odd', more: { failurePolicy: 'Ignore' } });
    expect((await post('one')).code).toBe(201);
  });

  it('are given up after their time', async () => {
    hook.on('/slow', () => (response) => response.flushHeaders());
    await configure('slow', { path: '/slow', more: { timeoutSeconds: 1 } });
    expect((await post('one')).body.message).toContain('/slow?timeout=1s": context deadline exceeded');
  });

  it.each([
    ['with another authority', { caBundle: 'x509: certificate signed by unknown authority' }],
    ['under another name', { name: 'not valid for other.default.svc' }],
    ['that are not there', { missing: 'service "missing" not found' }],
  ])('%s', async (_which, how) => {
    const [[key, words] = ['', '']] = Object.entries(how);
    const service = { namespace: 'default', name: key === 'missing' ? 'missing' : 'hook' };
    if (key === 'name') {
      const copy = (resource: string, extra: object = {}) => {
        const { metadata, ...object } = structuredClone(
          under.store.get(resource, 'default', 'hook'),
        ) as never as {
          metadata: { labels?: object };
        };
        under.store.create(resource, {
          ...object,
          ...extra,
          metadata: {
            ...metadata,
            name: 'other',
            uid: '',
            ...(metadata.labels ? { labels: { 'kubernetes.io/service-name': 'other' } } : {}),
          },
        } as never);
      };
      copy('services');
      copy('endpointslices.discovery.k8s.io');
      service.name = 'other';
    }
    const caBundle =
      key === 'caBundle' ? Buffer.from(under.credentials.ca).toString('base64') : hook.caBundle;
    await configure('broken', { more: { clientConfig: { caBundle, service } } });
    const { message } = (await post('one')).body;
    expect(message).toContain(
      'failed calling webhook "broken-0.example.com": failed to call webhook: Post "https://',
    );
    expect(message).toContain(words);
  });

  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && !whyUnroutable(address));
  it.skipIf(!outside)('unless their url leads to them, and they are who they should be', async () => {
    const address = outside?.address ?? '';
    const other = await startFakeWebhook([address], address);
    other.on('/hook', deny({ message: 'from afar' }));
    const at = (name: string, caBundle: string) => {
      const clientConfig = { url: `https://${address}:${other.port}/hook`, caBundle };
      return configure(name, { more: { clientConfig } });
    };
    await at('afar', other.caBundle);
    expect((await post('one')).body.message).toMatch(/denied the request: from afar$/);
    await under.send('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/afar`);
    await at('stranger', hook.caBundle);
    expect((await post('one')).body.message).toContain('x509: certificate signed by unknown authority');
    expect(other.asked).toHaveLength(1);
    await other.close();
  });

  it('because they would be the machine itself', async () => {
    await configure('inward', { more: { clientConfig: { url: 'https://localhost:6443/x' } } });
    expect((await post('one')).body.message).toContain('may not be in the loopback range');
  });

  it('can be got rid of', async () => {
    hook.on('/deny', deny());
    await configure('lockout', { resources: ['*/*'] });
    expect((await post('one')).code).toBe(400);
    const path = `${CONFIGURATIONS}/validatingwebhookconfigurations/lockout`;
    expect((await under.send('DELETE', path)).code).toBe(200);
    expect((await post('one')).code).toBe(201);
  });
});

describe('mutating webhooks', () => {
  const add =
    (key: string, value = 'yes') =>
    () =>
      patching({ op: 'add', path: `/data/${key}`, value });

  it('change what is stored, in the order of names, before validating ones', async () => {
    hook.on('/first', ({ object }) =>
      patching({ op: 'add', path: '/data/order', value: `${object.data.order ?? ''}1` }),
    );
    hook.on('/second', ({ object }) =>
      patching({ op: 'add', path: '/data/order', value: `${object.data.order ?? ''}2` }),
    );
    hook.on('/deny', allow);
    await configure('c', {});
    await configure('b', { mutating: true, path: '/second' });
    await configure('a', { mutating: true, path: '/first' });
    const reply = await post('one', {}, '?fieldManager=me');
    expect(reply.body.data).toEqual({ a: '1', order: '12' });
    expect(hook.asked.map(({ path }) => path)).toEqual(['/first', '/second', '/deny']);
    expect(hook.asked[2]?.object.data.order).toBe('12');
    expect(reply.body.metadata.managedFields[0].manager).toBe('me');
  });

  it('are asked once more when another has changed the object after them', async () => {
    hook.on('/again', ({ object }) =>
      patching({ op: 'add', path: '/data/seen', value: Object.keys(object.data).toSorted().join('') }),
    );
    hook.on('/once', add('b'));
    await configure('m', [
      { mutating: true, path: '/again', more: { reinvocationPolicy: 'IfNeeded' } },
      { mutating: true, path: '/once' },
    ]);
    const reply = await post('one');
    expect(hook.asked.map(({ path }) => path)).toEqual(['/again', '/once', '/again']);
    expect(reply.body.data).toEqual({ a: '1', b: 'yes', seen: 'abseen' });
  });

  it.each([
    ['that fits nothing', { op: 'remove', path: '/data/nothing' }, 500, 'Internal error occurred: '],
    [
      'that makes an invalid object',
      { op: 'add', path: '/metadata/labels', value: { 'a b': 'c' } },
      422,
      'metadata.labels: Invalid value',
    ],
    ['with values of another type', { op: 'add', path: '/data', value: 7 }, 500, 'Internal error occurred: '],
    [
      'to another namespace',
      { op: 'replace', path: '/metadata/namespace', value: 'x' },
      500,
      'another namespace',
    ],
    ['to another kind', { op: 'replace', path: '/kind', value: 'Secret' }, 500, 'another kind'],
    ['that is no object', { op: 'replace', path: '', value: [] }, 500, 'no object'],
    ['for the prototype', { op: 'add', path: '/__proto__/x', value: 1 }, 500, 'not allowed'],
  ])('have a patch refused %s', async (_which, operation, code, words) => {
    hook.on('/patch', () => patching(operation));
    await configure('bad', { mutating: true, path: '/patch' });
    const reply = await post('one');
    expect(reply.code).toBe(code);
    expect(reply.body.message).toContain(words);
  });

  it('change changes too, and leave the owners of fields as they are', async () => {
    hook.on('/patch', () =>
      patching({ op: 'remove', path: '/metadata/managedFields' }, { op: 'add', path: '/data/b', value: '2' }),
    );
    const before = await post('one', {}, '?fieldManager=first');
    await configure('m', { mutating: true, path: '/patch', operations: ['UPDATE'] });
    const body = { ...before.body, data: { a: '2' } };
    const reply = await under.send('PUT', `${NS}/configmaps/one?fieldManager=second`, { body });
    expect(reply.body.data).toEqual({ a: '2', b: '2' });
    const managers = reply.body.metadata.managedFields.map(({ manager }: { manager: string }) => manager);
    expect(managers).toEqual(['first', 'second']);
  });

  it('cannot change what is deleted', async () => {
    hook.on('/patch', add('b'));
    await post('one');
    await configure('m', { mutating: true, path: '/patch', operations: ['DELETE'] });
    const { message } = (await under.send('DELETE', `${NS}/configmaps/one`)).body;
    expect(message).toContain('attempted to modify the object, which is not supported for this operation');
  });
});

describe('webhooks are asked only for what they name', () => {
  const isAsked = async (wish: Wish, act: () => Promise<unknown>) => {
    hook.on('/deny', allow);
    await configure('match', wish);
    hook.asked.splice(0);
    await act();
    return hook.asked.length > 0;
  };

  it.each([
    ['group', { apiGroups: ['apps'] }, false],
    ['core group', { apiGroups: [''] }, true],
    ['version', { apiVersions: ['v2'] }, false],
    ['operation', { operations: ['UPDATE'] }, false],
    ['all resources', { resources: ['*'] }, true],
    ['subresources only', { resources: ['configmaps/status'] }, false],
    ['all with subresources', { resources: ['*/*'] }, true],
    ['namespaced', { scope: 'Namespaced' }, true],
    ['not namespaced', { scope: 'Cluster' }, false],
  ])('by %s', async (_by, rule, expected) => {
    expect(await isAsked({ rule }, () => post('one'))).toBe(expected);
  });

  it.each([
    ['objectSelector', { matchLabels: { app: 'x' } }, false],
    ['objectSelector', { matchLabels: { app: 'web' } }, true],
    ['namespaceSelector', { matchExpressions: [{ key: 'skip', operator: 'Exists' }] }, false],
    ['namespaceSelector', { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] }, true],
  ])('by %s %j', async (field, selector, expected) => {
    const labelled = { metadata: { name: 'one', labels: { app: 'web' } } };
    expect(await isAsked({ more: { [field]: selector } }, () => post('one', labelled))).toBe(expected);
  });

  it('by the labels that a namespace is to have', async () => {
    const selector = { namespaceSelector: { matchLabels: { watched: 'yes' } } };
    const make = (name: string, labels: object) => () =>
      under.send('POST', '/api/v1/namespaces', { body: { metadata: { name, labels } } });
    expect(
      await isAsked({ resources: ['namespaces'], more: selector }, make('seen', { watched: 'yes' })),
    ).toBe(true);
    expect(hook.asked[0]).toMatchObject({ name: 'seen', namespace: 'seen' });
    hook.asked.splice(0);
    await make('unseen', {})();
    expect(hook.asked).toEqual([]);
  });

  it('in another version of the same, unless they want that one exactly', async () => {
    const scaler = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
      },
    };
    const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers';
    const rule = { apiVersions: ['v2'], apiGroups: ['autoscaling'] };
    const wish = { resources: ['horizontalpodautoscalers'], rule };
    const write = () => under.send('POST', `${path}?dryRun=All`, { body: scaler });
    expect(await isAsked({ ...wish, more: { matchPolicy: 'Exact' } }, write)).toBe(false);
    await under.send('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/match`);
    expect(await isAsked(wish, write)).toBe(true);
    expect(hook.asked[0]).toMatchObject({
      kind: { group: 'autoscaling', version: 'v2' },
      requestKind: { group: 'autoscaling', version: 'v1' },
      object: { apiVersion: 'autoscaling/v2', spec: { metrics: [{ type: 'Resource' }] } },
    });
  });
});

describe('parts of objects', () => {
  const APPS = '/apis/apps/v1/namespaces/default/deployments';

  it('scale', async () => {
    hook.on('/deny', ({ object }) => ({ allowed: object.spec.replicas < 5 }));
    await under.send('POST', APPS, { body: deployment('web', { replicas: 1 }) });
    await configure('scales', { resources: ['deployments/scale'] });
    const to = (replicas: number) =>
      under.send('PATCH', `${APPS}/web/scale`, {
        body: { spec: { replicas } },
        type: 'application/merge-patch+json',
      });
    expect((await to(9)).code).toBe(400);
    expect((await to(2)).body.spec.replicas).toBe(2);
    expect(hook.asked[1]).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      subResource: 'scale',
      oldObject: { spec: { replicas: 1 } },
    });
  });

  it('status, eviction, tokens', async () => {
    hook.on('/deny', deny());
    await configure('parts', { resources: ['pods/status', 'pods/eviction', 'serviceaccounts/token'] });
    const status = { body: { status: { message: 'x' } }, type: 'application/merge-patch+json' };
    expect((await under.send('PATCH', `${NS}/pods/hook/status`, status)).code).toBe(400);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'hook' } };
    expect((await under.send('POST', `${NS}/pods/hook/eviction`, { body: eviction })).code).toBe(400);
    expect(under.store.get('pods', 'default', 'hook')?.metadata.deletionTimestamp).toBeUndefined();
    under.store.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'sa', namespace: 'default' },
    } as never);
    expect((await under.send('POST', `${NS}/serviceaccounts/sa/token`, { body: {} })).code).toBe(400);
    expect(hook.asked.map(({ subResource, kind }) => [subResource, kind['kind']])).toEqual([
      ['status', 'Pod'],
      ['eviction', 'Eviction'],
      ['token', 'TokenRequest'],
    ]);
  });

  it('connections', async () => {
    hook.on('/deny', deny({ message: 'no shells' }));
    await configure('shells', { resources: ['pods/exec', 'pods/proxy'], operations: ['CONNECT'] });
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'v4.channel.k8s.io',
    };
    const reply = await under.send('GET', `${NS}/pods/hook/exec?command=sh&stdin=true`, { headers });
    expect(reply.body.message).toBe('admission webhook "shells-0.example.com" denied the request: no shells');
    expect(hook.asked[0]).toMatchObject({
      operation: 'CONNECT',
      subResource: 'exec',
      name: 'hook',
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      object: { command: ['sh'], stdin: true },
      options: null,
    });
    expect((await under.send('GET', `${NS}/pods/http:hook:80/proxy/`)).code).toBe(400);
    expect(hook.asked[1]).toMatchObject({ name: 'hook', kind: { kind: 'PodProxyOptions' } });
  });
});
