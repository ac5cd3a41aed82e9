import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyDefaults } from '../api/admission/defaults.ts';
import { admitByPolicies } from '../api/admission/policies/policies.ts';
import { ensurePriorityClasses } from '../api/admission/policies/priority.ts';
import type { PodSpec } from '../kinds/pod.ts';
import type { LimitItem, ResourceQuotaSpec } from '../kinds/quota.ts';
import type { KubeObject } from '../store/types.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { conditionOf } from './conditions.ts';
import { quotaController } from './quota.ts';
import { replicaSetController } from './replica-set.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [quotaController(context), replicaSetController(context)]);
  ensurePriorityClasses(plane.context.objects);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const used = () => objects().get('resourcequotas', 'shop', 'q')?.status?.used;

async function quota(spec: ResourceQuotaSpec): Promise<void> {
  objects().create('resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec,
  });
  await plane.controllers.idle();
}

function limits(...items: LimitItem[]): void {
  const range = {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l', namespace: 'shop' },
    spec: { limits: items },
  };
  applyDefaults('limitranges', range as unknown as KubeObject);
  objects().create('limitranges', range);
}

/** Creates as a client would; gives what was stored. */
function create(resource: string, name: string, spec: object, kind = 'Pod'): KubeObject {
  const metadata = { name, namespace: 'shop', uid: '', resourceVersion: '', creationTimestamp: '' };
  const object: KubeObject = { apiVersion: 'v1', kind, metadata, spec: { ...spec } };
  applyDefaults(resource, object);
  admitByPolicies(objects().store, { resource, object, before: undefined });
  return objects().store.create(resource, object);
}

const asks = (requests?: Record<string, string>, most?: Record<string, string>): PodSpec => ({
  containers: [
    {
      name: 'c',
      image: 'a',
      resources: { ...(requests ? { requests } : {}), ...(most ? { limits: most } : {}) },
    },
  ],
});

test("a quota counts what is there and refuses what is too much, in Kubernetes' words", async () => {
  await quota({ hard: { pods: '2', 'requests.cpu': '1', 'limits.memory': '1Gi', 'count/configmaps': 1 } });
  expect(used()).toEqual({ pods: '0', 'requests.cpu': '0', 'limits.memory': '0', 'count/configmaps': '0' });
  create('pods', 'a', asks({ cpu: '600m' }, { memory: '512Mi' }));
  await plane.controllers.idle();
  expect(used()).toMatchObject({ pods: '1', 'requests.cpu': '600m', 'limits.memory': '512Mi' });
  expect(() => create('pods', 'b', asks({ cpu: '500m' }, { memory: '600Mi' }))).toThrow(
    'pods "b" is forbidden: exceeded quota: q, requested: limits.memory=600Mi,requests.cpu=500m, used: limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1',
  );
  expect(() => create('pods', 'b', asks({ cpu: '1m' }))).toThrow(
    'pods "b" is forbidden: failed quota: q: must specify limits.memory for: c',
  );
  create('pods', 'b', asks({ cpu: '400m' }, { memory: '512Mi' }));
  expect(() => create('pods', 'c', asks({ cpu: '0' }, { memory: '0' }))).toThrow(
    'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  );
  objects().modify('pods', 'shop', 'a', (pod) => {
    pod.status = { phase: 'Succeeded' };
  });
  await plane.controllers.idle();
  expect(used()).toMatchObject({ pods: '1', 'requests.cpu': '400m' });
  create('configmaps', 'one', {}, 'ConfigMap');
  expect(() => create('configmaps', 'two', {}, 'ConfigMap')).toThrow(
    'exceeded quota: q, requested: count/configmaps=1',
  );
});

test('claims and Services are counted, too', async () => {
  await quota({
    hard: {
      'requests.storage': '10Gi',
      'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      services: '1',
      'services.nodeports': '0',
    },
  });
  const claim = (storage: string) => ({ storageClassName: 'fast', resources: { requests: { storage } } });
  create('persistentvolumeclaims', 'a', claim('4Gi'), 'PersistentVolumeClaim');
  expect(() => create('persistentvolumeclaims', 'b', claim('7Gi'), 'PersistentVolumeClaim')).toThrow(
    'requested: fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,requests.storage=7Gi',
  );
  expect(() => create('services', 's', { type: 'NodePort', ports: [{ port: 80 }] }, 'Service')).toThrow(
    'requested: services.nodeports=1, used: services.nodeports=0',
  );
  create('services', 's', { ports: [{ port: 80 }] }, 'Service');
  await plane.controllers.idle();
  expect(used()).toMatchObject({ 'requests.storage': '4Gi', services: '1' });
  const stored = objects().store.get('persistentvolumeclaims', 'shop', 'a') as KubeObject;
  const object = structuredClone(stored);
  object.spec = claim('11Gi');
  expect(() =>
    admitByPolicies(objects().store, { resource: 'persistentvolumeclaims', object, before: stored }),
  ).toThrow('requested: requests.storage=7Gi, used: requests.storage=4Gi');
});

test.each<[string, ResourceQuotaSpec, PodSpec, boolean]>([
  ['BestEffort', { scopes: ['BestEffort'] }, asks(), true],
  ['not BestEffort', { scopes: ['BestEffort'] }, asks({ cpu: '1' }), false],
  ['NotBestEffort', { scopes: ['NotBestEffort'] }, asks({ cpu: '1' }), true],
  ['Terminating', { scopes: ['Terminating'] }, { ...asks(), activeDeadlineSeconds: 5 }, true],
  ['NotTerminating', { scopes: ['NotTerminating'] }, { ...asks(), activeDeadlineSeconds: 5 }, false],
  [
    'PriorityClass',
    {
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }],
      },
    },
    { ...asks(), priorityClassName: 'system-node-critical' },
    true,
  ],
])('a quota of scope %s', async (_name, spec, pod, limited) => {
  await quota({ hard: { pods: '0' }, ...spec });
  const attempt = () => create('pods', 'p', pod);
  if (limited) expect(attempt).toThrow('exceeded quota');
  else expect(attempt).not.toThrow();
});

test('pods of controllers are refused likewise, and the ReplicaSet says so', async () => {
  await quota({ hard: { pods: '1' } });
  objects().create('replicasets.apps', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: asks() },
    },
  });
  await plane.controllers.idle();
  expect(objects().list('pods', 'shop')).toHaveLength(1);
  const set = objects().get('replicasets.apps', 'shop', 'web');
  expect(conditionOf(set ?? {}, 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate' });
  expect(conditionOf(set ?? {}, 'ReplicaFailure')?.message).toContain('is forbidden: exceeded quota: q');
  objects().modify('resourcequotas', 'shop', 'q', ({ spec }) => {
    spec.hard = { pods: '5' };
  });
  await plane.clock.advance(60_000);
  expect(objects().list('pods', 'shop')).toHaveLength(2);
});

const resourcesOf = (pod: KubeObject) => (pod.spec as unknown as PodSpec).containers[0]?.resources;

test('a limit range fills in what containers leave out', () => {
  limits({
    type: 'Container',
    default: { cpu: '500m' },
    defaultRequest: { cpu: '100m' },
    max: { memory: '1Gi' },
  });
  expect(resourcesOf(create('pods', 'a', asks()))).toEqual({
    limits: { cpu: '500m', memory: '1Gi' },
    requests: { cpu: '100m', memory: '1Gi' },
  });
  const own = create('pods', 'b', asks(undefined, { cpu: '200m', memory: '1Mi' }));
  expect(resourcesOf(own)).toEqual({
    limits: { cpu: '200m', memory: '1Mi' },
    requests: { cpu: '200m', memory: '1Mi' },
  });
});

test.each([
  [
    { min: { cpu: '100m' } },
    asks({ cpu: '50m' }),
    'minimum cpu usage per Container is 100m, but request is 50m',
  ],
  [
    { max: { memory: '1Gi' } },
    asks({ memory: '1Mi' }, { memory: '2Gi' }),
    'maximum memory usage per Container is 1Gi, but limit is 2Gi',
  ],
  [
    { maxLimitRequestRatio: { cpu: '2' } },
    asks({ cpu: '100m' }, { cpu: '300m' }),
    'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
  ],
])('a limit range refuses: %j', (item, pod, words) => {
  limits({ type: 'Container', ...item });
  expect(() => create('pods', 'p', pod)).toThrow(`pods "p" is forbidden: ${words}`);
});

test('a limit range of pods adds their containers up, one of claims looks at their size', () => {
  limits(
    { type: 'Pod', max: { cpu: '1' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
  );
  const [container] = asks({ cpu: '600m' }, { cpu: '600m' }).containers;
  expect(() => create('pods', 'p', { containers: [container, { ...container, name: 'd' }] })).toThrow(
    'maximum cpu usage per Pod is 1, but limit is 1200m',
  );
  const claim = { resources: { requests: { storage: '3Gi' } } };
  expect(() => create('persistentvolumeclaims', 'c', claim, 'PersistentVolumeClaim')).toThrow(
    'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  );
});

test('a pod gets the number of its class, and may not give itself another', () => {
  objects().create('priorityclasses.scheduling.k8s.io', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
    preemptionPolicy: 'Never',
  });
  expect(create('pods', 'a', asks()).spec).toMatchObject({ priority: 0 });
  expect(create('pods', 'b', { ...asks(), priorityClassName: 'high' }).spec).toMatchObject({
    priority: 1000,
    preemptionPolicy: 'Never',
  });
  expect(create('pods', 'c', { ...asks(), priorityClassName: 'system-cluster-critical' }).spec).toMatchObject(
    {
      priority: 2_000_000_000,
    },
  );
  expect(() => create('pods', 'd', { ...asks(), priorityClassName: 'none' })).toThrow(
    'pods "d" is forbidden: no PriorityClass with name none was found',
  );
  expect(() => create('pods', 'd', { ...asks(), priority: 7 })).toThrow(
    /priority \(7\) must not be provided/,
  );
  objects().modify('priorityclasses.scheduling.k8s.io', undefined, 'high', (stored) => {
    stored.globalDefault = true;
  });
  expect(create('pods', 'e', asks()).spec).toMatchObject({ priority: 1000, priorityClassName: 'high' });
  expect(() => create('pods', 'f', { ...asks(), runtimeClassName: 'gvisor' })).toThrow(
    'pods "f" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
  );
});
