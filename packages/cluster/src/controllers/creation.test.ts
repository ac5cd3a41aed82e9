import { silentLogger, systemClock } from '@updraft/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startApi } from '../api/testing/api-under-test.ts';
import type { ApiUnderTest } from '../api/testing/api-under-test.ts';
import { deployment } from '../api/testing/manifests.ts';
import { configureIn, publish } from '../api/webhooks/testing/configure.ts';
import { patching, startFakeWebhook } from '../api/webhooks/testing/fake-webhook.ts';
import type { FakeWebhook } from '../api/webhooks/testing/fake-webhook.ts';
import { typedObjects } from '../kinds/objects.ts';
import { startControllers } from './controller.ts';
import type { ControllerContext, RunningControllers } from './controller.ts';
import { gracefulDeletion, servedCatalog } from './deletion.ts';
import { eventRecorder } from './event-recorder.ts';
import { workloadControllers } from './workloads.ts';

let under: ApiUnderTest;
let hook: FakeWebhook;
let controllers: RunningControllers;
beforeEach(async () => {
  under = await startApi();
  hook = await startFakeWebhook(['hook.default.svc']);
  await publish(under, hook);
  const { store, api } = under;
  const objects = typedObjects(store);
  const parts = { objects, clock: systemClock, logger: silentLogger };
  const context: ControllerContext = {
    ...parts,
    events: eventRecorder({ ...parts, component: 'test', host: 'node' }),
    deletion: gracefulDeletion(store, systemClock),
    catalog: servedCatalog(store),
    webhooks: api.webhooks,
  };
  const metrics = { readPods: async () => [], readNode: async () => undefined } as never;
  controllers = startControllers(workloadControllers(context, metrics), context);
});
afterEach(async () => {
  await controllers.stop();
  await hook.close();
  await under.close();
});

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const podsOf = (app: string) =>
  under.store.list('pods', 'default').filter(({ metadata }) => metadata.labels?.['app'] === app);
const make = (name: string, replicas: number) =>
  under.send('POST', DEPLOYMENTS, { body: deployment(name, { replicas }) });

test('what controllers create goes through webhooks, once for each, as from a controller', async () => {
  hook.on('/label', () => patching({ op: 'add', path: '/metadata/labels/seen', value: 'yes' }));
  hook.on('/deny', () => ({ allowed: true }));
  await configureIn(under, hook, {
    name: 'm',
    wishes: { mutating: true, path: '/label', resources: ['pods'] },
  });
  await configureIn(under, hook, { name: 'v', wishes: { resources: ['pods', 'replicasets'] } });
  await make('web', 3);
  await expect.poll(() => podsOf('web').length, { timeout: 20_000 }).toBe(3);
  await controllers.idle();
  expect(podsOf('web').map(({ metadata }) => metadata.labels?.['seen'])).toEqual(['yes', 'yes', 'yes']);
  const created = hook.asked.filter(({ operation }) => operation === 'CREATE');
  const count = (path: string, resource: string) =>
    created.filter((asked) => asked.path === path && asked.resource['resource'] === resource).length;
  expect([count('/label', 'pods'), count('/deny', 'pods'), count('/deny', 'replicasets')]).toEqual([3, 3, 1]);
  const judged = created.filter(({ path, resource }) => path === '/deny' && resource['resource'] === 'pods');
  expect(judged[0]?.userInfo.username).toBe('system:serviceaccount:kube-system:replicaset-controller');
  const known = (list: { metadata: { name: string; uid: string } }[]) =>
    list.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted();
  expect(known(judged.map(({ object }) => object))).toEqual(known(podsOf('web')));
});

test('what webhooks deny a controller it says, and tries again', async () => {
  hook.on('/deny', () => ({ allowed: false, status: { message: 'not yet' } }));
  await configureIn(under, hook, { name: 'v', wishes: { resources: ['pods'] } });
  await make('late', 1);
  const told = () => under.store.list('events').map((event) => String(event['message']));
  const words = 'Error creating: admission webhook "v-0.example.com" denied the request: not yet';
  await expect.poll(told, { timeout: 20_000 }).toContain(words);
  expect(podsOf('late')).toEqual([]);
  hook.on('/deny', () => ({ allowed: true }));
  await expect.poll(() => podsOf('late').length, { timeout: 20_000 }).toBe(1);
});
