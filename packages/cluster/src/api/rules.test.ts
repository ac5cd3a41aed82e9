import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest, Reply } from './testing/api-under-test.ts';
import { configMap, deployment, pod } from './testing/manifests.ts';

// What clients rely on beyond single requests. Each name says the rule.
const V1 = '/api/v1/namespaces/default';
const MAPS = `${V1}/configmaps`;
const PODS = `${V1}/pods`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi({ historySize: 50 });
});
afterAll(() => under.close());

const get = (path: string) => under.send('GET', path);
const post = (path: string, body: unknown) => under.send('POST', path, { body });
const put = (path: string, body: unknown) => under.send('PUT', path, { body });
const patch = (path: string, body: unknown, type = MERGE) => under.send('PATCH', path, { body, type });
const remove = (path: string, body?: unknown) =>
  under.send('DELETE', path, body === undefined ? {} : { body });
const names = (reply: Reply): string[] =>
  reply.body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
const versionOf = (reply: Reply): string => reply.body.metadata.resourceVersion;

describe('versions', () => {
  it('a write that changes nothing writes nothing, by every verb', async () => {
    const made = await post(DEPLOYMENTS, deployment('still'));
    const path = `${DEPLOYMENTS}/still`;
    const applied = `${path}?fieldManager=me&force=true`;
    const first = await under.send('PATCH', applied, { body: deployment('still'), type: APPLY });
    const version = versionOf(first);
    const { body } = await get(path);
    const all = await Promise.all([
      put(path, body),
      put(path, { ...body, metadata: { name: 'still' } }),
      patch(path, { spec: { replicas: 1 } }),
      patch(path, { spec: { replicas: 1 } }, STRATEGIC),
      patch(path, [{ op: 'replace', path: '/spec/replicas', value: 1 }], JSON_PATCH),
      under.send('PATCH', applied, { body: deployment('still'), type: APPLY }),
      patch(`${path}/scale`, { spec: { replicas: 1 } }),
    ]);
    expect(all.map(({ code }) => code)).toEqual(all.map(() => 200));
    expect(versionOf(await get(path))).toBe(version);
    expect(made.body.metadata.generation).toBe(1);
  });

  it('generation counts changes of the specification alone, and not for kinds without one', async () => {
    await post(DEPLOYMENTS, deployment('gen'));
    const path = `${DEPLOYMENTS}/gen`;
    const generation = (reply: Reply) => reply.body.metadata.generation;
    expect(generation(await patch(path, { metadata: { labels: { a: 'b' } } }))).toBe(1);
    expect(generation(await patch(`${path}/status`, { status: { replicas: 1 } }))).toBe(1);
    expect(generation(await patch(path, { spec: { replicas: 3 } }))).toBe(2);
    expect(
      generation(await put(path, { ...(await get(path)).body, metadata: { name: 'gen', generation: 9 } })),
    ).toBe(2);
    expect(generation(await post(MAPS, configMap('gen')))).toBeUndefined();
  });

  it('an old version is a conflict, none overwrites, one at creation is an error', async () => {
    const made = await post(MAPS, configMap('rv', { a: '1' }));
    await patch(`${MAPS}/rv`, { data: { a: '2' } });
    const old = await put(`${MAPS}/rv`, made.body);
    expect([old.code, old.body.reason]).toEqual([409, 'Conflict']);
    expect(old.body.message).toBe(
      'Operation cannot be fulfilled on configmaps "rv": the object has been modified; please apply your changes to the latest version and try again',
    );
    expect((await put(`${MAPS}/rv`, configMap('rv', { a: '3' }))).body.data).toEqual({ a: '3' });
    const again = await post(MAPS, { metadata: { name: 'other', resourceVersion: '1' } });
    expect([again.code, again.body.message]).toEqual([
      500,
      'resourceVersion should not be set on objects to be created',
    ]);
    expect((await post(MAPS, configMap('rv'))).body.reason).toBe('AlreadyExists');
    const stale = await patch(`${MAPS}/rv`, { metadata: { resourceVersion: '1' }, data: { a: '4' } });
    expect(stale.code).toBe(409);
  });
});

describe('lists', () => {
  it('take a version as "not older", "exactly" or "any", and say when there is none', async () => {
    await post(MAPS, configMap('list-a'));
    const present = versionOf(await get(MAPS));
    const code = async (query: string) => (await get(`${MAPS}?${query}`)).code;
    expect(await code('resourceVersion=0')).toBe(200);
    expect(await code(`resourceVersion=${present}&resourceVersionMatch=Exact`)).toBe(200);
    expect(await code('resourceVersion=1&resourceVersionMatch=NotOlderThan')).toBe(200);
    expect(await code('resourceVersion=1&resourceVersionMatch=Exact')).toBe(410);
    expect(await code('resourceVersion=0&resourceVersionMatch=Exact')).toBe(422);
    expect(await code('resourceVersionMatch=Exact')).toBe(422);
    expect(await code('resourceVersion=x')).toBe(400);
    const future = await get(`${MAPS}?resourceVersion=999999`);
    expect([future.code, future.body.details.retryAfterSeconds]).toEqual([504, 1]);
    expect(future.body.message).toContain('Too large resource version');
  });

  it('come in pages of one moment, whatever is written meanwhile', async () => {
    for (const n of [1, 2, 3, 4, 5]) await post(MAPS, configMap(`page-${n}`, {}, { suite: 'page' }));
    const query = `${MAPS}?labelSelector=suite%3Dpage&limit=2`;
    const first = await get(query);
    expect(first.body.metadata.remainingItemCount).toBeUndefined();
    await remove(`${MAPS}/page-3`);
    await post(MAPS, configMap('page-0', {}, { suite: 'page' }));
    const second = await get(`${query}&continue=${first.body.metadata.continue}`);
    const third = await get(`${query}&continue=${second.body.metadata.continue}`);
    expect([first, second, third].flatMap(names)).toEqual([1, 2, 3, 4, 5].map((n) => `page-${n}`));
    expect(new Set([first, second, third].map(versionOf)).size).toBe(1);
    expect(third.body.metadata.continue).toBeUndefined();
    expect((await get(`${MAPS}?limit=2`)).body.metadata.remainingItemCount).toBeGreaterThan(0);
    expect((await get(`${MAPS}?limit=2&continue=nonsense`)).code).toBe(400);
  });

  it('whose moment is forgotten give 410 and a token for the rest as it is now', async () => {
    const first = await get(`${MAPS}?limit=1`);
    await Promise.all(Array.from({ length: 40 }, (_, n) => get(`${MAPS}?limit=1&labelSelector=n!%3D${n}`)));
    const gone = await get(`${MAPS}?limit=1&continue=${first.body.metadata.continue}`);
    expect([gone.code, gone.body.reason]).toEqual([410, 'Expired']);
    const rest = await get(`${MAPS}?continue=${gone.body.metadata.continue}`);
    expect(names(rest)).toEqual(names(await get(MAPS)).slice(1));
  });

  it('select by labels and fields, and name the field they cannot select by', async () => {
    await post(PODS, { ...pod('sel-a'), metadata: { name: 'sel-a', labels: { tier: 'web', 'a.b/c': 'd' } } });
    await post(PODS, { ...pod('sel-b'), metadata: { name: 'sel-b', labels: { tier: 'db' } } });
    const select = async (query: string) =>
      names(await get(`${PODS}?${query}`)).filter((name) => name.startsWith('sel'));
    const label = (text: string) => select(`labelSelector=${encodeURIComponent(text)}`);
    expect(await label('tier==web')).toEqual(['sel-a']);
    expect(await label('tier in (web, db),a.b/c')).toEqual(['sel-a']);
    expect(await label('tier notin (web)')).toEqual(['sel-b']);
    expect(await label('!tier')).toEqual([]);
    expect(await label('nosuch!=x')).toEqual(['sel-a', 'sel-b']);
    expect(await label('')).toEqual(['sel-a', 'sel-b']);
    expect((await get(`${PODS}?labelSelector=${encodeURIComponent('a in b')}`)).code).toBe(400);
    expect(await select('fieldSelector=metadata.name%3Dsel-b,status.phase%3DPending')).toEqual(['sel-b']);
    expect(await select('fieldSelector=spec.nodeName%3D,spec.restartPolicy%3DAlways')).toEqual([
      'sel-a',
      'sel-b',
    ]);
    const unknown = await get(`${MAPS}?fieldSelector=data.a%3Db`);
    expect([unknown.code, unknown.body.message]).toEqual([
      400,
      expect.stringContaining('field label not supported'),
    ]);
  });
});

describe('watches', () => {
  const until = async (done: () => boolean) => {
    for (let n = 0; n < 400 && !done(); n += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('from a version tell what came later; what leaves the selection is deleted', async () => {
    await post(MAPS, configMap('w', {}, { on: 'yes' }));
    const from = versionOf(await get(MAPS));
    const watch = await under.watch(`${MAPS}?watch=true&labelSelector=on%3Dyes&resourceVersion=${from}`);
    await patch(`${MAPS}/w`, { metadata: { labels: { on: 'no' } } });
    await patch(`${MAPS}/w`, { metadata: { labels: { on: 'yes' } } });
    await patch(`${MAPS}/w`, { data: { a: 'b' } });
    const gone = await remove(`${MAPS}/w`);
    await until(() => watch.lines.length === 4);
    watch.stop();
    expect(gone.code).toBe(200);
    expect(watch.lines.map(({ type }) => type)).toEqual(['DELETED', 'ADDED', 'MODIFIED', 'DELETED']);
    const versions = watch.lines.map(({ object }) =>
      Number((object as Reply['body']).metadata.resourceVersion),
    );
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions.at(-1)).toBe(under.store.revision);
  });

  it('too old is an ERROR event with 410 and the end; too new is refused', async () => {
    for (let n = 0; n < 120; n += 1) under.store.create('leases.coordination.k8s.io', lease(`l${n}`));
    const watch = await under.watch(`${MAPS}?watch=true&resourceVersion=1`);
    await watch.ended;
    expect(watch.lines).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
    expect((await get(`${MAPS}?watch=true&resourceVersion=999999`)).code).toBe(504);
    expect((await get(`${MAPS}?watch=true&resourceVersion=x`)).body.kind).toBe('Status');
    expect((await get(`${MAPS}?watch=true&sendInitialEvents=true`)).code).toBe(422);
  });

  it('with initial events end them by a marked bookmark', async () => {
    const query =
      'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
    const watch = await under.watch(`${MAPS}?${query}`);
    await watch.ended;
    const bookmark = watch.lines.find(({ type }) => type === 'BOOKMARK');
    expect(bookmark?.['object']).toMatchObject({
      kind: 'ConfigMap',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    expect(watch.lines.findIndex((line) => line === bookmark)).toBe(names(await get(MAPS)).length);
    // The last one comes before the timeout.
    expect(watch.lines.at(-1)?.['type']).toBe('BOOKMARK');
  });

  it('show tables as lists do, the headers once', async () => {
    const { credentials, port } = under;
    const lines = await new Promise<string[]>((resolve, reject) => {
      const { certificate, key } = credentials.client;
      const socket = connect({ port, host: '127.0.0.1', ca: credentials.ca, cert: certificate, key });
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.once('error', reject);
      socket.once('close', () => resolve(text.split('\n').filter((line) => line.startsWith('{'))));
      socket.write(
        `GET ${PODS}?watch=true&timeoutSeconds=1 HTTP/1.1\r\nHost: x\r\nAccept: application/json;as=Table;v=v1;g=meta.k8s.io\r\nConnection: close\r\n\r\n`,
      );
    });
    const tables = lines.map((line): TableLine => (JSON.parse(line) as { object: TableLine }).object);
    expect(tables.length).toBeGreaterThan(1);
    expect(tables.every(({ kind }) => kind === 'Table')).toBe(true);
    expect(tables.map(({ columnDefinitions }) => columnDefinitions !== null)).toEqual(
      tables.map((_t, n) => n === 0),
    );
  });
});

interface TableLine {
  readonly kind: string;
  readonly columnDefinitions: unknown;
}

function lease(name: string) {
  const metadata = { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
}

describe('writes', () => {
  it('generated names have five letters, and long prefixes are cut', async () => {
    const made = await post(MAPS, { metadata: { generateName: 'x'.repeat(70) } });
    expect(made.body.metadata.name).toMatch(/^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it('each path writes its own part', async () => {
    await post(DEPLOYMENTS, deployment('parts'));
    const path = `${DEPLOYMENTS}/parts`;
    const status = await patch(`${path}/status`, {
      spec: { replicas: 9 },
      status: { replicas: 4 },
      metadata: { labels: { a: 'b' } },
    });
    expect([status.body.spec.replicas, status.body.status.replicas]).toEqual([1, 4]);
    const main = await patch(path, { spec: { replicas: 2 }, status: { replicas: 9 } });
    expect([main.body.spec.replicas, main.body.status.replicas]).toEqual([2, 4]);
    expect((await patch(`${MAPS}/rv/status`, {})).code).toBe(404);
  });

  it('the name, the uid and the form of a patch are checked', async () => {
    const renamed = await patch(`${MAPS}/rv`, { metadata: { name: 'b' } });
    expect([renamed.code, renamed.body.message]).toEqual([
      400,
      'the name of the object (b) does not match the name on the URL (rv)',
    ]);
    expect((await patch(`${MAPS}/rv`, { metadata: { uid: 'x' } })).code).toBeGreaterThanOrEqual(409);
    const form = await patch(`${MAPS}/rv`, {}, 'application/json');
    expect([form.code, form.body.message]).toEqual([415, expect.stringContaining(APPLY)]);
    expect((await patch(`${MAPS}/nosuch`, {})).code).toBe(404);
    const test = [{ op: 'test', path: '/data/a', value: 'no' }];
    expect((await patch(`${MAPS}/rv`, test, JSON_PATCH)).code).toBe(422);
    expect((await patch(`${MAPS}/rv`, [{ op: 'remove', path: '/data/nosuch' }], JSON_PATCH)).code).toBe(422);
  });

  it('dry runs do everything but store', async () => {
    const revision = under.store.revision;
    const made = await post(`${DEPLOYMENTS}?dryRun=All`, deployment('dry'));
    expect([made.code, made.body.spec.revisionHistoryLimit, made.body.metadata.uid]).toEqual([
      201,
      10,
      expect.any(String),
    ]);
    const bad = await post(`${DEPLOYMENTS}?dryRun=All`, { ...deployment('dry'), spec: { template: {} } });
    expect(bad.code).toBe(422);
    await patch(`${DEPLOYMENTS}/parts?dryRun=All`, { spec: { replicas: 7 } });
    await remove(`${DEPLOYMENTS}/parts?dryRun=All`);
    await remove(`${DEPLOYMENTS}/parts`, { dryRun: ['All'] });
    await remove(`${DEPLOYMENTS}?dryRun=All`);
    expect(under.store.revision).toBe(revision);
    expect((await post(`${MAPS}?dryRun=Some`, configMap('x'))).code).toBe(422);
  });

  it('unknown and repeated fields are refused, told or dropped, as asked', async () => {
    const text =
      '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"},"foo":{"b\\u0061r":1},"kind":"ConfigMap","kind":"ConfigMap"}';
    const send = (how: string) =>
      under.send('POST', `${MAPS}?fieldValidation=${how}`, { body: Buffer.from(text) });
    const strict = await send('Strict');
    expect([strict.code, strict.body.message]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a", duplicate field "kind", unknown field "foo"',
    ]);
    const warned = await send('Warn');
    expect(warned.code).toBe(201);
    for (const words of ['duplicate field \\"data.a\\"', 'unknown field \\"foo\\"'])
      expect(warned.headers['warning']).toContain(words);
    await remove(`${MAPS}/twice`);
    const ignored = await send('Ignore');
    expect([ignored.code, ignored.headers['warning']]).toEqual([201, undefined]);
    expect((await send('Maybe')).code).toBe(422);
  });
});

describe('deletions', () => {
  it('wait for finalizers, take no new ones, and check what they are asked to', async () => {
    await post(MAPS, { metadata: { name: 'fin', finalizers: ['a.b/c'] } });
    expect((await remove(`${MAPS}/fin`, { preconditions: { uid: 'x' } })).code).toBe(409);
    expect((await remove(`${MAPS}/fin`, { preconditions: { resourceVersion: '1' } })).code).toBe(409);
    const both = await remove(`${MAPS}/fin`, { orphanDependents: true, propagationPolicy: 'Orphan' });
    expect(both.code).toBe(422);
    const marked = await remove(`${MAPS}/fin`);
    expect([marked.code, marked.body.kind, typeof marked.body.metadata.deletionTimestamp]).toEqual([
      200,
      'ConfigMap',
      'string',
    ]);
    expect((await patch(`${MAPS}/fin`, { metadata: { finalizers: ['a.b/c', 'd.e/f'] } })).code).toBe(422);
    expect((await patch(`${MAPS}/fin`, { metadata: { finalizers: null } })).code).toBe(200);
    expect((await get(`${MAPS}/fin`)).code).toBe(404);
    const plain = await remove(`${MAPS}/rv`);
    expect(plain.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'rv', kind: 'configmaps' },
    });
  });

  it('of pods that run are graceful; a shorter grace wins', async () => {
    await post(PODS, pod('grace'));
    under.store.modify('pods', 'default', 'grace', (o) => ({ ...o, spec: { ...o.spec, nodeName: 'n' } }));
    const first = await remove(`${PODS}/grace`);
    expect(first.body.metadata.deletionGracePeriodSeconds).toBe(30);
    const shorter = await remove(`${PODS}/grace?gracePeriodSeconds=5`);
    expect(shorter.body.metadata.deletionGracePeriodSeconds).toBe(5);
    const longer = await remove(`${PODS}/grace?gracePeriodSeconds=50`);
    expect(longer.body.metadata.deletionGracePeriodSeconds).toBe(5);
    await remove(`${PODS}/grace?gracePeriodSeconds=0`);
    expect((await get(`${PODS}/grace`)).code).toBe(404);
    await post(PODS, pod('unbound'));
    await remove(`${PODS}/unbound`);
    expect((await get(`${PODS}/unbound`)).code).toBe(404);
  });

  it('of Jobs without a policy leave their pods and say so', async () => {
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a:1' }] } };
    await post(jobs, { metadata: { name: 'j' }, spec: { template } });
    const gone = await remove(`${jobs}/j`);
    expect(gone.headers['warning']).toContain('child pods are preserved by default');
    expect(gone.body.metadata.finalizers).toEqual(['orphan']);
  });

  it('of a namespace end it slowly; nothing new is made there', async () => {
    await post('/api/v1/namespaces', { metadata: { name: 'ending' } });
    await remove('/api/v1/namespaces/ending');
    expect((await get('/api/v1/namespaces/ending')).body.status.phase).toBe('Terminating');
    const late = await post('/api/v1/namespaces/ending/configmaps', configMap('late'));
    expect([late.code, late.body.details.causes[0].reason]).toEqual([403, 'NamespaceTerminating']);
    expect((await remove('/api/v1/namespaces/ending')).code).toBe(200);
    expect((await post('/api/v1/namespaces/never/configmaps', configMap('late'))).code).toBe(404);
  });
});

it('events are one store with two faces', async () => {
  const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' };
  await post(`${V1}/events`, {
    metadata: { name: 'e' },
    involvedObject,
    reason: 'R',
    message: 'm',
    type: 'Normal',
  });
  const path = '/apis/events.k8s.io/v1/namespaces/default/events/e';
  expect((await get(path)).body).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    note: 'm',
  });
  const patched = await patch(path, { note: 'other' });
  expect([patched.code, (await get(`${V1}/events/e`)).body.message]).toEqual([200, 'other']);
  expect(names(await get(`${V1}/events?fieldSelector=involvedObject.name%3Dp`))).toEqual(['e']);
  await post('/apis/events.k8s.io/v1/namespaces/default/events', {
    metadata: { name: 'new' },
    regarding: involvedObject,
    action: 'Done',
    reason: 'R',
    type: 'Normal',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'me',
    reportingInstance: 'me-1',
  });
  expect(names(await get(`${V1}/events?fieldSelector=source%3Dme`))).toEqual(['new']);
  const group = '/apis/events.k8s.io/v1/namespaces/default/events';
  expect(names(await get(`${group}?fieldSelector=reportingController%3Dme`))).toEqual(['new']);
});

describe('tokens', () => {
  const TOKEN = `${V1}/serviceaccounts/bot/token`;
  const review = async (token: string, audiences?: string[]) =>
    (
      await post('/apis/authentication.k8s.io/v1/tokenreviews', {
        spec: { token, ...(audiences ? { audiences } : {}) },
      })
    ).body.status;
  const reach = async (token: string) =>
    (
      await under.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        anonymous: true,
        headers: { authorization: `Bearer ${token}` },
        body: {},
      })
    ).code;

  it('are for their audience alone, and end with what they are bound to', async () => {
    await post(`${V1}/serviceaccounts`, { metadata: { name: 'bot' } });
    const vault = (await post(TOKEN, { spec: { audiences: ['vault'] } })).body;
    expect(vault.spec).toMatchObject({ audiences: ['vault'], expirationSeconds: 3600 });
    expect(await reach(vault.status.token)).toBe(401);
    expect(await review(vault.status.token)).toMatchObject({ authenticated: false });
    expect(await review(vault.status.token, ['vault', 'x'])).toMatchObject({
      authenticated: true,
      audiences: ['vault'],
      user: { username: 'system:serviceaccount:default:bot' },
    });
    await post(`${V1}/secrets`, { metadata: { name: 'holder' } });
    const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: 'holder' };
    const bound = (await post(TOKEN, { spec: { boundObjectRef } })).body.status.token;
    expect(await reach(bound)).toBe(201);
    await remove(`${V1}/secrets/holder`);
    expect(await reach(bound)).toBe(401);
  });

  it('without an end are written into Secrets that ask for them, and go with their account', async () => {
    const type = 'kubernetes.io/service-account-token';
    const annotations = { 'kubernetes.io/service-account.name': 'lasting' };
    expect((await post(`${V1}/secrets`, { metadata: { name: 'nobody' }, type })).code).toBe(422);
    await post(`${V1}/secrets`, { metadata: { name: 'asks', annotations }, type });
    expect((await get(`${V1}/secrets/asks`)).body.data).toBeUndefined();
    await post(`${V1}/serviceaccounts`, { metadata: { name: 'lasting' } });
    const { data } = (await get(`${V1}/secrets/asks`)).body;
    const decoded = (key: string) => Buffer.from(data[key], 'base64').toString();
    expect([decoded('namespace'), decoded('ca.crt').trim()]).toEqual([
      'default',
      under.credentials.ca.trim(),
    ]);
    expect(await reach(decoded('token'))).toBe(201);
    await remove(`${V1}/serviceaccounts/lasting`);
    expect((await get(`${V1}/secrets/asks`)).code).toBe(404);
    expect(await reach(decoded('token'))).toBe(401);
  });

  it('are refused for a second, for a strange or absent object, for another uid', async () => {
    const code = async (spec: object) => (await post(TOKEN, { spec })).code;
    expect(await code({ expirationSeconds: 599 })).toBe(422);
    expect(await code({ expirationSeconds: 'x' })).toBe(400);
    expect(await code({ boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } })).toBe(400);
    expect(await code({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'nosuch' } })).toBe(404);
    await post(PODS, pod('bound'));
    expect(await code({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'bound', uid: 'x' } })).toBe(
      409,
    );
  });
});

describe('hostile bodies', () => {
  const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);

  it.each([
    ['deep lists', deep('[', ']', 100_000)],
    ['deep objects', `{"metadata":{"name":"x"},"data":${deep('{"a":', '}', 50_000).replace('}', '1}')}}`],
    ['a prototype', '{"metadata":{"name":"x","labels":{"__proto__":{"a":"b"}}}}'],
    ['an escaped prototype', '{"metadata":{"name":"x"},"\\u005f_proto__":{"a":1}}'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['nothing', ''],
    ['null', 'null'],
    ['half an object', '{"metadata":'],
  ])('%s: 400', async (_what, text) => {
    for (const type of ['application/json', 'application/yaml']) {
      const reply = await under.send('POST', MAPS, { body: Buffer.from(text), type });
      expect([reply.code, reply.body?.kind]).toEqual([400, 'Status']);
    }
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it('large ones: 413, and the server goes on', async () => {
    const reply = await post(MAPS, configMap('large', { a: 'x'.repeat(4 * 1024 * 1024) }));
    expect([reply.code, reply.body.reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect((await get('/readyz')).code).toBe(200);
  });

  it('large objects: refused as Kubernetes does', async () => {
    const reply = await post(MAPS, configMap('big', { a: 'x'.repeat(1024 * 1024 + 1) }));
    expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining('Too long')]);
  });

  it('patches that double what is there: refused before it is too much', async () => {
    await post(MAPS, configMap('doubled', { a: 'x' }));
    const ops = Array.from({ length: 60 }, (_, n) => ({ op: 'copy', from: '/data', path: `/data/${n}` }));
    const reply = await patch(`${MAPS}/doubled`, ops, JSON_PATCH);
    expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining('copies')]);
    const deeper = Array.from({ length: 300 }, () => ({ op: 'move', from: '/data', path: '/x' })).flatMap(
      (move) => [move, { op: 'add', path: '/data', value: {} }, { op: 'move', from: '/x', path: '/data/x' }],
    );
    expect((await patch(`${MAPS}/doubled`, deeper, JSON_PATCH)).code).toBe(400);
  });

  it('YAML of many keys is read in a time that grows with their number, or refused', async () => {
    const yaml = (count: number) =>
      Buffer.from(
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: many}\ndata:\n${Array.from({ length: count }, (_, n) => `  k${n}: v`).join('\n')}`,
      );
    const apply = (body: Buffer) =>
      under.send('PATCH', `${MAPS}/many?fieldManager=m`, { body, type: 'application/apply-patch+yaml' });
    const start = process.cpuUsage();
    expect((await apply(yaml(8000))).code).toBe(201);
    const { user } = process.cpuUsage(start);
    // The library's own look for repeated keys needs twenty seconds here.
    expect(user / 1e6).toBeLessThan(8);
    const reply = await apply(yaml(100_000));
    expect([reply.code, reply.body.message]).toEqual([400, expect.stringContaining('send JSON')]);
  });

  it('long lists are not merged: it would take a time that grows with their square', async () => {
    const env = Array.from({ length: 2001 }, (_, n) => ({ name: `E${n}`, value: 'v' }));
    const spec = { containers: [{ name: 'c', image: 'i', env }] };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'long' }, spec };
    const pods = '/api/v1/namespaces/default/pods';
    for (const type of ['application/apply-patch+yaml', 'application/strategic-merge-patch+json']) {
      const reply = await under.send('PATCH', `${pods}/long?fieldManager=m`, { body, type });
      expect([type, reply.code, reply.body.reason]).toEqual([type, 413, 'RequestEntityTooLarge']);
      if (type.includes('apply')) expect((await post(pods, body)).code).toBe(201);
    }
  });

  it('what an applier leaves out goes in a time that grows with its length', async () => {
    const apply = (data: object) =>
      under.send('PATCH', `${MAPS}/turned?fieldManager=m`, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'turned' }, data },
        type: 'application/apply-patch+yaml',
      });
    const many = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`${prefix}${n}`, 'v']));
    await apply(many('old'));
    const start = process.cpuUsage();
    const reply = await apply(many('new'));
    expect([reply.code, Object.keys(reply.body.data as object).length]).toEqual([200, 6000]);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
  });

  it.each(['//', '//[', '//a:99999999/'])('an address that is none, %s: 400', async (where) => {
    for (const headers of [{}, { connection: 'Upgrade', upgrade: 'websocket' }])
      expect((await under.send('GET', where, { headers })).code).toBe(400);
  });

  it('a key that YAML repeats is refused', async () => {
    for (const text of ['data: {a: b, a: c}', 'data:\n  a: b\n  "a": c', 'data: {}\ndata: {}']) {
      const body = Buffer.from(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice}\n${text}\n`);
      const reply = await under.send('POST', MAPS, { body, type: 'application/yaml' });
      expect([text, reply.code]).toEqual([text, 400]);
    }
  });

  it('selectors of any length are read in one go', async () => {
    const start = performance.now();
    await get(`${MAPS}?labelSelector=${'a,'.repeat(7000)}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
