import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

/** A folder in which `@kubernetes/client-node` is installed. It is too large to be a dependency of ours. */
const folder = process.env['UPDRAFT_TEST_CLIENT_NODE'];
if (!folder)
  console.log('UPDRAFT_TEST_CLIENT_NODE names no folder with @kubernetes/client-node: its tests are skipped');

// The library is not there when this is compiled: what the tests use of it is looked at call by call.
// oxlint-disable-next-line typescript/no-explicit-any
type Anything = any;

let under: ApiUnderTest;
let library: Anything;
let config: Anything;
beforeAll(async () => {
  under = await startApi({ historySize: 8 });
  if (!folder) return;
  const entry = path.join(folder, 'node_modules/@kubernetes/client-node/dist/index.js');
  library = await import(pathToFileURL(entry).href);
  config = new library.KubeConfig();
  config.loadFromFile(under.kubeconfig);
});
afterAll(() => under.close());

const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

async function until(check: () => boolean): Promise<void> {
  await expect.poll(check, { timeout: 15_000, interval: 20 }).toBe(true);
}

async function pod(name: string, port = 80): Promise<void> {
  const container = { name: 'c', image: 'a:1', ports: [{ containerPort: port }] };
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: 'node', containers: [container] },
  };
  expect((await under.send('POST', '/api/v1/namespaces/default/pods', { body })).code).toBe(201);
  const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const status = {
    phase: 'Running',
    containerStatuses: [{ name: 'c', image: 'a:1', imageID: 'a', ready: true, restartCount: 0, state }],
  };
  const options = { body: { status }, type: 'application/merge-patch+json' };
  await under.send('PATCH', `/api/v1/namespaces/default/pods/${name}/status`, options);
}

describe.runIf(folder)('@kubernetes/client-node', () => {
  it('keeps an informer up to date, also when its version is too old', async () => {
    const core = config.makeApiClient(library.CoreV1Api);
    let lists = 0;
    const list = async () => {
      const objects = await core.listNamespacedConfigMap({ namespace: 'default' });
      lists += 1;
      // More is written than the server remembers: the watch from this list is answered with 410.
      for (let index = 0; lists === 1 && index < 20; index += 1)
        await core.createNamespacedConfigMap({ namespace: 'default', body: map(`m${index}`) });
      return objects;
    };
    const informer = library.makeInformer(config, '/api/v1/namespaces/default/configmaps', list);
    const seen: string[] = [];
    for (const event of ['add', 'update', 'delete'])
      informer.on(event, (object: Anything) => seen.push(`${event} ${object.metadata.name}`));
    informer.on('error', () => void informer.start());
    await informer.start();
    await until(() => informer.list('default').length === 20);
    expect(lists).toBe(2);
    await core.createNamespacedConfigMap({ namespace: 'default', body: map('late') });
    await core.patchNamespacedConfigMap(
      { namespace: 'default', name: 'late', body: [{ op: 'add', path: '/data', value: { a: 'b' } }] },
      library.setHeaderOptions('Content-Type', 'application/json-patch+json'),
    );
    await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'late' });
    await until(() => seen.includes('delete late'));
    expect(seen.filter((line) => line.endsWith(' late'))).toEqual(['add late', 'update late', 'delete late']);
    await informer.stop();
  });

  it('runs commands and gets their exit code', async () => {
    await pod('runs');
    const exec = new library.Exec(config);
    const run = (command: string[], input?: PassThrough) =>
      new Promise<{ status: Anything; output: string }>((resolve, reject) => {
        const stdout = new PassThrough();
        const output = text(stdout);
        const done = (status: Anything) => {
          stdout.end();
          void output.then((read) => resolve({ status, output: read }), reject);
        };
        exec
          .exec('default', 'runs', 'c', command, stdout, new PassThrough(), input ?? null, false, done)
          .catch(reject);
      });
    expect(await run(['hello', 'there'])).toMatchObject({
      status: { status: 'Success' },
      output: 'hello there\n',
    });
    const { status } = await run(['exit', '3']);
    expect(status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(status.details.causes).toEqual([{ reason: 'ExitCode', message: '3' }]);
  });

  it('forwards ports and follows logs', async () => {
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await pod('talks', port);
    const [input, output] = [new PassThrough(), new PassThrough()];
    const forward = new library.PortForward(config);
    const socket = await forward.portForward('default', 'talks', [port], output, null, input);
    input.write('ping');
    const echo = await new Promise<Buffer>((resolve) => output.once('data', resolve));
    expect(echo.toString()).toBe('ping');
    socket.close();
    await new Promise((resolve) => server.close(resolve));
    const log = new PassThrough();
    await new library.Log(config).log('default', 'talks', 'c', log, { follow: true, tailLines: 5 });
    expect(JSON.parse(await text(log))).toMatchObject({ follow: true, tailLines: 5 });
  });

  it('creates, reads, applies, patches, lists and deletes objects of any kind', async () => {
    const client = library.KubernetesObjectApi.makeApiClient(config);
    const { ServerSideApply, MergePatch } = library.PatchStrategy;
    const call = (strategy: string, object: object) =>
      client.patch(object, undefined, undefined, 'me', true, strategy);
    expect((await client.create(map('any', { a: '1' }))).data).toEqual({ a: '1' });
    expect((await call(MergePatch, map('any', { b: '2' }))).data).toEqual({ a: '1', b: '2' });
    expect((await call(ServerSideApply, map('applied', { c: '3' }))).data).toEqual({ c: '3' });
    const again = await call(ServerSideApply, map('applied', { d: '4' }));
    expect(again.data).toEqual({ d: '4' });
    expect((await client.read(map('applied'))).metadata.uid).toBe(again.metadata.uid);
    const { items } = await client.list('v1', 'ConfigMap', 'default');
    expect(items.map((item: Anything) => item.metadata.name)).toEqual(
      expect.arrayContaining(['any', 'applied']),
    );
    await client.delete(map('any'));
    await expect(client.read(map('any'))).rejects.toMatchObject({ code: 404 });
  });

  it('takes and renews a lease, and only one of two wins it', async () => {
    const api = config.makeApiClient(library.CoordinationV1Api);
    const at = { namespace: 'default', name: 'leader' };
    const body = {
      metadata: { name: 'leader' },
      spec: { holderIdentity: 'first', leaseDurationSeconds: 15, renewTime: new library.V1MicroTime() },
    };
    const made = await api.createNamespacedLease({ namespace: 'default', body });
    const renewed = await api.replaceNamespacedLease({
      ...at,
      body: { ...made, spec: { ...made.spec, leaseTransitions: 1 } },
    });
    expect(renewed.spec.leaseTransitions).toBe(1);
    const stale = { ...made, spec: { ...made.spec, holderIdentity: 'second' } };
    await expect(api.replaceNamespacedLease({ ...at, body: stale })).rejects.toMatchObject({ code: 409 });
    expect((await api.readNamespacedLease(at)).spec.holderIdentity).toBe('first');
  });
});
