import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RESOURCES } from './resources.ts';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest, SendOptions } from './testing/api-under-test.ts';
import { configMap, deployment, pod } from './testing/manifests.ts';
import { inertWarning } from './write.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const PODS = '/api/v1/namespaces/default/pods';
const MERGE = { type: 'application/merge-patch+json' };
const APPLY = { type: 'application/apply-patch+yaml' };

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const post = (path: string, body: unknown, options: SendOptions = {}) =>
  under.send('POST', path, { ...options, body });

async function until(done: () => boolean): Promise<void> {
  for (let n = 0; n < 200 && !done(); n += 1) await wait(5);
  expect(done()).toBe(true);
}

function service(name: string, spec: object) {
  return { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
}

async function runningPod(name: string): Promise<void> {
  await post(PODS, pod(name));
  under.store.modify('pods', 'default', name, (o) => ({
    ...o,
    spec: { ...o.spec, nodeName: 'n' },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', state: { running: {} } }] },
  }));
}

function exec(query: string, protocol: string, stdin?: string) {
  const { client, ca } = under.credentials;
  const url = `wss://127.0.0.1:${under.port}${PODS}/busy/exec?${query}`;
  const socket = new WebSocket(url, protocol, { ca, cert: client.certificate, key: client.key });
  const channels = new Map<number, string>();
  return new Promise<{ channels: Map<number, string>; code: number }>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      const channel = data[0] ?? 0;
      channels.set(channel, (channels.get(channel) ?? '') + data.subarray(1).toString());
    });
    socket.on('open', () => {
      if (stdin === undefined) return;
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(stdin)]));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on('close', (code) => resolve({ channels, code }));
    socket.on('error', reject);
  });
}

describe('who may ask', () => {
  it('tells strangers 401 as a Status, and anybody that it lives', async () => {
    const stranger = await under.send('GET', MAPS, { anonymous: true });
    expect(stranger.code).toBe(401);
    expect(stranger.body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'Unauthorized',
      code: 401,
    });
    expect((await under.send('GET', '/readyz', { anonymous: true })).text).toBe('ok');
    expect((await under.send('GET', '/version', { anonymous: true })).body.minor).toBe('35');
    const forged = { anonymous: true, headers: { authorization: 'Bearer a.b.c' } };
    expect((await under.send('GET', MAPS, forged)).code).toBe(401);
  });

  it('accepts the token of a service account until the account is gone', async () => {
    await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
    const issued = await post('/api/v1/namespaces/default/serviceaccounts/robot/token', { spec: {} });
    expect(issued.code).toBe(201);
    const options = { anonymous: true, headers: { authorization: `Bearer ${issued.body.status.token}` } };
    const self = { ...options, body: {} };
    const review = await under.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', self);
    expect(review.body.status.userInfo.username).toBe('system:serviceaccount:default:robot');
    await under.send('DELETE', '/api/v1/namespaces/default/serviceaccounts/robot');
    expect((await under.send('GET', MAPS, options)).code).toBe(401);
  });
});

describe('writing', () => {
  it('creates with defaults, generation and owner, and refuses a second one', async () => {
    const made = await post(`${DEPLOYMENTS}?fieldManager=me`, deployment('made'));
    expect(made.code).toBe(201);
    expect(made.body.metadata).toMatchObject({
      generation: 1,
      name: 'made',
      managedFields: [{ manager: 'me', operation: 'Update' }],
    });
    expect(made.body.spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate' },
    });
    const again = await post(DEPLOYMENTS, deployment('made'));
    expect(again.body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'deployments.apps "made" already exists',
    });
  });

  it('raises the generation on a change of the specification only, and writes nothing for nothing', async () => {
    await post(DEPLOYMENTS, deployment('gen'));
    const path = `${DEPLOYMENTS}/gen`;
    const labelled = await under.send('PATCH', path, {
      ...MERGE,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(labelled.body.metadata.generation).toBe(1);
    const same = await under.send('PATCH', path, { ...MERGE, body: { metadata: { labels: { a: 'b' } } } });
    expect(same.body).toEqual(labelled.body);
    const scaled = await under.send('PATCH', path, { ...MERGE, body: { spec: { replicas: 3 } } });
    expect(scaled.body.metadata.generation).toBe(2);
    const put = await under.send('PUT', path, { body: scaled.body });
    expect(put.body.metadata.resourceVersion).toBe(scaled.body.metadata.resourceVersion);
  });

  it('keeps the status on the main path and all but the status on its own', async () => {
    await post(DEPLOYMENTS, deployment('split'));
    const change = { spec: { replicas: 7 }, status: { replicas: 1, readyReplicas: 1 } };
    const main = await under.send('PATCH', `${DEPLOYMENTS}/split`, { ...MERGE, body: change });
    expect([main.body.spec.replicas, main.body.status.replicas]).toEqual([7, undefined]);
    const status = { ...change, spec: { replicas: 9 } };
    const own = await under.send('PATCH', `${DEPLOYMENTS}/split/status`, { ...MERGE, body: status });
    expect([own.body.spec.replicas, own.body.status.replicas, own.body.metadata.generation]).toEqual([
      7, 1, 2,
    ]);
  });

  it('refuses an old version, another name and a changed selector', async () => {
    const made = (await post(DEPLOYMENTS, deployment('strict'))).body;
    const path = `${DEPLOYMENTS}/strict`;
    await under.send('PATCH', path, { ...MERGE, body: { spec: { replicas: 2 } } });
    const old = await under.send('PUT', path, { body: made });
    expect(old.body).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(old.body.message).toContain(
      'the object has been modified; please apply your changes to the latest version',
    );
    const renamed = await under.send('PATCH', path, { ...MERGE, body: { metadata: { name: 'x' } } });
    expect(renamed.body.message).toBe(
      'the name of the object (x) does not match the name on the URL (strict)',
    );
    const labels = { app: 'other' };
    const body = { spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } } };
    const moved = await under.send('PATCH', path, { ...MERGE, body });
    expect(moved.body.code).toBe(422);
    expect(moved.body.details.causes[0]).toMatchObject({
      field: 'spec.selector',
      reason: 'FieldValueInvalid',
    });
  });

  it('reports unknown fields as asked', async () => {
    const body = { ...configMap('unknown'), foo: 1 };
    const strict = await post(`${MAPS}?fieldValidation=Strict&dryRun=All`, body);
    expect(strict.body.message).toContain('strict decoding error: unknown field "foo"');
    const warned = await post(`${MAPS}?dryRun=All`, body);
    expect(warned.code).toBe(201);
    expect(warned.headers['warning']).toContain('unknown field');
    expect(warned.body.foo).toBeUndefined();
    expect((await under.send('GET', `${MAPS}/unknown`)).code).toBe(404);
  });

  it('refuses to write into a namespace that is missing or ends', async () => {
    const missing = await post('/api/v1/namespaces/nowhere/configmaps', configMap('a'));
    expect(missing.body).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
    await post('/api/v1/namespaces', { metadata: { name: 'ending' } });
    const ended = await under.send('DELETE', '/api/v1/namespaces/ending');
    expect(ended.body.status.phase).toBe('Terminating');
    const late = await post('/api/v1/namespaces/ending/configmaps', configMap('a'));
    expect(late.body.code).toBe(403);
    expect(late.body.message).toContain('because it is being terminated');
    expect((await under.send('DELETE', '/api/v1/namespaces/ending')).code).toBe(200);
  });

  it('gives Services addresses that are theirs alone and stay', async () => {
    const path = '/api/v1/namespaces/default/services';
    const first = await post(path, service('one', {}));
    const second = await post(path, service('two', { type: 'NodePort' }));
    expect(first.body.spec.clusterIP).toMatch(/^10\.96\.0\.\d+$/);
    expect(second.body.spec.clusterIP).not.toBe(first.body.spec.clusterIP);
    expect(second.body.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000);
    const taken = await post(path, service('three', { clusterIP: first.body.spec.clusterIP }));
    expect(taken.body.message).toContain('provided IP is already allocated');
    const kept = await under.send('PUT', `${path}/one`, { body: service('one', { selector: { a: 'b' } }) });
    expect(kept.body.spec.clusterIP).toBe(first.body.spec.clusterIP);
    const moved = await under.send('PATCH', `${path}/one`, {
      ...MERGE,
      body: { spec: { clusterIP: '10.96.0.99' } },
    });
    expect(moved.body.message).toContain('may not change once set');
    expect((await post(path, service('four', { clusterIP: 'None' }))).body.spec.clusterIP).toBe('None');
  });

  it('turns stringData into data and never shows a secret in an error', async () => {
    const path = '/api/v1/namespaces/default/secrets';
    const made = await post(path, { metadata: { name: 's' }, stringData: { p: 'hunter2' } });
    expect(made.body).toMatchObject({
      type: 'Opaque',
      data: { p: Buffer.from('hunter2').toString('base64') },
    });
    expect(made.body.stringData).toBeUndefined();
    const typo = await post(path, { metadata: { name: 't' }, data: { p: 'hunter2!' } });
    expect(typo.code).toBe(400);
    expect(typo.text).not.toContain('hunter2');
    const broken = await under.send('POST', path, { body: Buffer.from('{"data": {"p": "hunter2", }') });
    expect([broken.code, broken.text.includes('hunter2')]).toEqual([400, false]);
  });

  it('answers what nobody acts on with a warning', () => {
    const [known] = RESOURCES;
    if (!known) throw new Error('nothing is served');
    expect(inertWarning({ ...known, inert: true })[0]).toContain('nothing in this cluster acts on it');
    expect(inertWarning({ ...known, inert: false })).toEqual([]);
  });
});

describe('server-side apply', () => {
  it('creates, owns, conflicts, forces, and removes what was left out', async () => {
    const path = (manager: string, force = false) => `${MAPS}/applied?fieldManager=${manager}&force=${force}`;
    const apply = (manager: string, data: object, force = false) =>
      under.send('PATCH', path(manager, force), {
        ...APPLY,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data },
      });
    expect((await apply('one', { a: '1', b: '2' })).code).toBe(201);
    const same = await apply('one', { a: '1', b: '2' });
    expect(same.code).toBe(200);
    const refused = await apply('two', { a: '9' });
    expect(refused.body).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(refused.body.details.causes[0]).toEqual({
      reason: 'FieldManagerConflict',
      message: 'conflict with "one"',
      field: '.data.a',
    });
    const forced = await apply('two', { a: '9' }, true);
    expect(forced.body.data).toEqual({ a: '9', b: '2' });
    const shorter = await apply('one', {});
    expect(shorter.body.data).toEqual({ a: '9' });
    const again = await apply('two', { a: '9' });
    expect(again.body.metadata.resourceVersion).toBe(shorter.body.metadata.resourceVersion);
    const nobody = await under.send('PATCH', `${MAPS}/applied`, { ...APPLY, body: configMap('applied') });
    expect(nobody.body.code).toBe(422);
  });

  it('takes a StatefulSet whose volumes are claimed for each pod, and no other unknown ones', async () => {
    const labels = { app: 'kept' };
    const set = (mount: string) => ({
      metadata: { name: `kept-${mount}` },
      spec: {
        serviceName: 'kept',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'a', image: 'a', volumeMounts: [{ name: mount, mountPath: '/d' }] }] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    });
    const path = '/apis/apps/v1/namespaces/default/statefulsets';
    expect((await post(path, set('data'))).code).toBe(201);
    const other = await post(path, set('other'));
    expect(other.body.code).toBe(422);
    expect(other.body.message).toContain('Not found: "other"');
  });

  it('merges lists by their keys and keeps what others added', async () => {
    const path = `${DEPLOYMENTS}/keyed?fieldManager=me`;
    await under.send('PATCH', path, { ...APPLY, body: deployment('keyed') });
    const sidecar = [
      { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'side', image: 's:1' } },
    ];
    await under.send('PATCH', `${DEPLOYMENTS}/keyed`, { type: 'application/json-patch+json', body: sidecar });
    const next = await under.send('PATCH', path, { ...APPLY, body: deployment('keyed', { image: 'x:2' }) });
    const containers = next.body.spec.template.spec.containers as { name: string; image: string }[];
    expect(containers.map((each) => `${each.name}=${each.image}`)).toEqual(['app=x:2', 'side=s:1']);
  });
});

describe('reading', () => {
  it('selects by labels and fields', async () => {
    await post(MAPS, configMap('l1', {}, { tier: 'web', suite: 'reading' }));
    await post(MAPS, configMap('l2', {}, { tier: 'db', suite: 'reading' }));
    const names = async (query: string) =>
      ((await under.send('GET', `${MAPS}?${query}`)).body.items as { metadata: { name: string } }[]).map(
        (o) => o.metadata.name,
      );
    expect(await names('labelSelector=suite%3Dreading,tier+notin+(db)')).toEqual(['l1']);
    expect(await names('fieldSelector=metadata.name%3Dl2')).toEqual(['l2']);
    const bad = await under.send('GET', `${MAPS}?fieldSelector=data.x%3D1`);
    expect(bad.body).toMatchObject({ code: 400, message: 'field label not supported: data.x' });
  });

  it('pages through one moment of the list', async () => {
    for (let n = 0; n < 5; n += 1) await post(MAPS, configMap(`page-${n}`, {}, { suite: 'pages' }));
    const first = await under.send('GET', `${MAPS}?labelSelector=suite%3Dpages&limit=2`);
    expect(first.body.items).toHaveLength(2);
    await under.send('DELETE', `${MAPS}/page-4`);
    const token = String(first.body.metadata.continue);
    const rest = await under.send('GET', `${MAPS}?labelSelector=suite%3Dpages&limit=10&continue=${token}`);
    expect((rest.body.items as unknown[]).length).toBe(3);
    expect(rest.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    const whole = await under.send('GET', `${MAPS}?limit=1`);
    expect(whole.body.metadata.remainingItemCount).toBeGreaterThan(0);
    expect((await under.send('GET', `${MAPS}?continue=nonsense`)).code).toBe(400);
  });

  it('shows tables, discovery in all three forms, and the schema', async () => {
    const table = await under.send('GET', DEPLOYMENTS, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.body.kind).toBe('Table');
    expect((table.body.columnDefinitions as { name: string }[]).slice(0, 2).map((each) => each.name)).toEqual(
      ['Name', 'Ready'],
    );
    for (const version of ['v2', 'v2beta1']) {
      const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
      const found = await under.send('GET', '/apis', { headers: { accept } });
      expect(found.headers['content-type']).toContain(`v=${version}`);
      expect(found.body.apiVersion).toBe(`apidiscovery.k8s.io/${version}`);
    }
    const plain = await under.send('GET', '/apis/apps/v1');
    const deployments = (plain.body.resources as { name: string }[]).find(
      (each) => each.name === 'deployments',
    );
    expect(deployments).toMatchObject({
      singularName: 'deployment',
      shortNames: ['deploy'],
      categories: ['all'],
      namespaced: true,
      storageVersionHash: '8aSe+NMegvE=',
    });
    const index = await under.send('GET', '/openapi/v3');
    const document = await under.send('GET', String(index.body.paths['apis/apps/v1'].serverRelativeURL));
    const operation = document.body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch;
    expect(operation['x-kubernetes-group-version-kind']).toEqual({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    });
    expect((operation.parameters as { name: string }[]).map((each) => each.name)).toContain(
      'fieldValidation',
    );
    const swagger = (await under.send('GET', '/openapi/v2')).body;
    const { properties } = document.body.components.schemas['io.k8s.api.apps.v1.DeploymentSpec'];
    expect(properties.strategy['x-kubernetes-patch-strategy']).toBe('retainKeys');
    expect(swagger.definitions['io.k8s.api.apps.v1.DeploymentSpec'].properties.template).toEqual({
      $ref: '#/definitions/io.k8s.api.core.v1.PodTemplateSpec',
    });
    const text = JSON.stringify(swagger);
    expect(['#/components', '"oneOf":[', '"allOf":['].filter((word) => text.includes(word))).toEqual([]);
    const names = [...text.matchAll(/"#\/definitions\/([^"]+)"/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !(name in swagger.definitions))).toEqual([]);
  });
});

describe('watching', () => {
  it('begins with what there is and its bookmark, then tells what enters and leaves the selection', async () => {
    await post(MAPS, configMap('w1', {}, { suite: 'watch' }));
    const query =
      'watch=true&labelSelector=suite%3Dwatch&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watch = await under.watch(`${MAPS}?${query}`);
    await until(() => watch.lines.length === 2);
    expect(watch.lines[1]).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    const label = (suite: string | null) =>
      under.send('PATCH', `${MAPS}/w1`, { ...MERGE, body: { metadata: { labels: { suite } } } });
    await label(null);
    await label('watch');
    await under.send('DELETE', `${MAPS}/w1`);
    await until(() => watch.lines.length === 5);
    expect(watch.lines.map((line) => line['type'])).toEqual([
      'ADDED',
      'BOOKMARK',
      'DELETED',
      'ADDED',
      'DELETED',
    ]);
    watch.stop();
    await watch.ended;
  });

  it('answers at once even when there is nothing to tell', async () => {
    const quiet = await under.watch(`${MAPS}?watch=1&resourceVersion=${under.store.revision}`);
    expect(quiet.lines).toEqual([]);
    quiet.stop();
  });

  it('ends at its timeout, and with 410 when the version is forgotten', async () => {
    const timed = await under.watch(
      `${MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${under.store.revision}`,
    );
    await timed.ended;
    expect(timed.lines).toEqual([]);
    const expired = await startApi({ historySize: 4 });
    for (const n of Array(20).keys()) {
      expired.store.modify('namespaces', undefined, 'default', (o) => ({
        ...o,
        metadata: { ...o.metadata, labels: { n: String(n) } },
      }));
    }
    const late = await expired.watch(`${MAPS}?watch=1&resourceVersion=2`);
    await late.ended;
    expect(late.lines).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
    ]);
    await expired.close();
    const match = await under.send('GET', `${MAPS}?watch=1&sendInitialEvents=true`);
    expect(match.code).toBe(422);
    expect((await under.send('GET', `${MAPS}?watch=1&resourceVersion=x`)).code).toBe(400);
    expect((await under.send('GET', `${MAPS}?resourceVersion=99999999`)).code).toBe(504);
  });
});

describe('deleting', () => {
  it('waits for finalizers and refuses new ones meanwhile', async () => {
    const path = `${MAPS}/final`;
    await post(MAPS, {
      ...configMap('final'),
      metadata: { name: 'final', finalizers: ['example.com/hold'] },
    });
    const asked = await under.send('DELETE', path);
    expect(asked.body.metadata.deletionTimestamp).toBeDefined();
    const more = await under.send('PATCH', path, {
      ...MERGE,
      body: { metadata: { finalizers: ['example.com/hold', 'example.com/new'] } },
    });
    expect(more.body.code).toBe(422);
    await under.send('PATCH', path, { ...MERGE, body: { metadata: { finalizers: null } } });
    expect((await under.send('GET', path)).code).toBe(404);
  });

  it('gives running pods their grace, shorter but never longer, and holds to preconditions', async () => {
    const made = await post(PODS, pod('graceful'));
    const path = `${PODS}/graceful`;
    under.store.modify('pods', 'default', 'graceful', (o) => ({ ...o, spec: { ...o.spec, nodeName: 'n' } }));
    const other = await under.send('DELETE', path, { body: { preconditions: { uid: 'another' } } });
    expect(other.body).toMatchObject({ code: 409, reason: 'Conflict' });
    const grace = async (seconds?: number) =>
      (
        await under.send('DELETE', path, {
          body: seconds === undefined ? {} : { gracePeriodSeconds: seconds },
        })
      ).body.metadata.deletionGracePeriodSeconds as number;
    expect(await grace()).toBe(30);
    expect(await grace(60)).toBe(30);
    expect(await grace(5)).toBe(5);
    const last = await under.send('DELETE', path, { body: { gracePeriodSeconds: 0 } });
    expect(last.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { uid: made.body.metadata.uid },
    });
    expect((await under.send('GET', path)).code).toBe(404);
  });

  it('takes a pod that was never placed at once, and a collection by selector', async () => {
    await post(PODS, pod('waiting'));
    expect((await under.send('DELETE', `${PODS}/waiting`)).body.status).toBe('Success');
    for (const name of ['d1', 'd2']) await post(MAPS, configMap(name, {}, { suite: 'many' }));
    await under.send('DELETE', `${MAPS}?labelSelector=suite%3Dmany`);
    expect((await under.send('GET', `${MAPS}?labelSelector=suite%3Dmany`)).body.items).toEqual([]);
  });
});

describe('containers', () => {
  it('reads logs with the options asked for, and says why there are none', async () => {
    await post(PODS, pod('starting'));
    expect((await under.send('GET', `${PODS}/starting/log`)).body.message).toContain(
      'does not have a host assigned',
    );
    await runningPod('talking');
    const log = await under.send('GET', `${PODS}/talking/log?tailLines=5&timestamps=True&sinceSeconds=10`);
    expect(JSON.parse(log.text)).toMatchObject({
      container: 'app',
      tailLines: 5,
      timestamps: true,
      follow: false,
    });
    expect((await under.send('GET', `${PODS}/talking/log?container=x`)).body.message).toBe(
      'container x is not valid for pod talking',
    );
    expect((await under.send('GET', `${PODS}/talking/log?previous=true`)).body.message).toBe(
      'previous terminated container "app" in pod "talking" not found',
    );
  });

  it('runs commands over channels: output, input, exit codes', async () => {
    await runningPod('busy');
    const plain = await exec('command=say&command=hello&stdout=true', 'v4.channel.k8s.io');
    expect(plain.channels.get(1)).toBe('say hello\n');
    expect(JSON.parse(plain.channels.get(3) ?? '')).toMatchObject({ status: 'Success' });
    expect(plain.code).toBe(1000);
    const fed = await exec('command=cat&stdin=true&stdout=true', 'v5.channel.k8s.io', 'fed');
    expect(fed.channels.get(1)).toBe('fed');
    const failed = await exec('command=exit&command=3', 'v5.channel.k8s.io');
    expect(JSON.parse(failed.channels.get(3) ?? '')).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    const missing = await exec('command=missing', 'v4.channel.k8s.io');
    expect(JSON.parse(missing.channels.get(3) ?? '').message).toContain('no such file or directory');
    await expect(exec('command=say&container=x', 'v4.channel.k8s.io')).rejects.toThrow('400');
    await expect(exec('command=say', 'portforward.k8s.io')).rejects.toThrow('400');
  });
});
