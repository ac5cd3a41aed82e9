import { afterEach, beforeEach, expect, test } from 'vitest';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StatefulSet } from '../../kinds/workloads.ts';
import { settle } from '../../testing/fake-clock.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { garbageCollector } from '../garbage-collector.ts';
import { ensureStorageClass, volumeController } from '../volumes.ts';
import { statefulSetController } from './stateful-set.ts';

let plane: TestPlane;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-volumes-'));
  plane = startPlane((context) => {
    ensureStorageClass(context);
    return [statefulSetController(context), volumeController(context, dir), garbageCollector(context)];
  });
});
afterEach(async () => {
  await plane.stop();
  await rm(dir, { recursive: true, force: true });
});

const objects = () => plane.context.objects;
const pods = () => objects().list('pods', 'shop');
const names = () => pods().map(({ metadata }) => metadata.name);
const set = () => objects().get('statefulsets.apps', 'shop', 'db') as StatefulSet;
const claims = () => objects().list('persistentvolumeclaims', 'shop');

async function apply(spec: Partial<StatefulSet['spec']> = {}): Promise<void> {
  const meta = { uid: '', resourceVersion: '', creationTimestamp: '' };
  objects().create('statefulsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop', generation: 1 },
    spec: {
      replicas: 2,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data', ...meta },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      ...spec,
    },
  });
  await quiet();
}

async function quiet(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await plane.controllers.idle();
    await settle(5);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function allReady(): Promise<void> {
  for (const pod of pods()) plane.ready(pod);
  plane.bury();
  await quiet();
}

test('pods come one after the other, each with a name, a host name and a bound claim', async () => {
  await apply();
  expect(names()).toEqual(['db-0']);
  await allReady();
  expect(names()).toEqual(['db-0', 'db-1']);
  await allReady();
  expect(set().status).toMatchObject({ readyReplicas: 2, updatedReplicas: 2, replicas: 2 });
  expect(set().status?.currentRevision).toBe(set().status?.updateRevision);
  expect(pods()[1]?.spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' });
  expect(pods()[1]?.metadata.labels).toMatchObject({ 'apps.kubernetes.io/pod-index': '1' });
  expect(claims().map(({ status }) => status?.phase)).toEqual(['Bound', 'Bound']);
  expect(await readdir(dir)).toHaveLength(2);
});

test('an update goes from the highest down and waits for each to be ready', async () => {
  await apply();
  await allReady();
  await allReady();
  const image = (name: string) => objects().get('pods', 'shop', name)?.spec.containers[0]?.image;
  objects().modify('statefulsets.apps', 'shop', 'db', ({ spec }) => {
    spec.template.spec.containers = [{ name: 'c', image: 'a:2' }];
  });
  await quiet();
  plane.bury();
  await quiet();
  expect([image('db-0'), image('db-1')]).toEqual(['a:1', 'a:2']);
  expect(set().status?.currentRevision).not.toBe(set().status?.updateRevision);
  for (let step = 0; step < 3; step += 1) await allReady();
  expect([image('db-0'), image('db-1')]).toEqual(['a:2', 'a:2']);
  expect(set().status?.currentRevision).toBe(set().status?.updateRevision);
});

test('a revision is kept as the patch that takes the set back, and going back raises it', async () => {
  await apply();
  const revisions = () =>
    objects()
      .list('controllerrevisions.apps', 'shop')
      .toSorted((a, b) => a.revision - b.revision);
  const [first] = revisions();
  expect(first?.data).toEqual({ spec: { template: { ...set().spec.template, $patch: 'replace' } } });
  const template = structuredClone(set().spec.template);
  objects().modify('statefulsets.apps', 'shop', 'db', ({ spec }) => {
    spec.template.spec.containers = [{ name: 'c', image: 'a:2' }];
  });
  await quiet();
  objects().modify('statefulsets.apps', 'shop', 'db', ({ spec }) => {
    spec.template = template;
  });
  await quiet();
  expect(revisions().map(({ revision }) => revision)).toEqual([2, 3]);
  expect(revisions()[1]?.metadata.name).toBe(first?.metadata.name);
});

test('scaling down keeps the claim; deleting the claim removes its folder', async () => {
  await apply();
  await allReady();
  await allReady();
  objects().modify('statefulsets.apps', 'shop', 'db', ({ spec }) => {
    spec.replicas = 1;
  });
  await quiet();
  plane.bury();
  await quiet();
  expect(names()).toEqual(['db-0']);
  expect(claims()).toHaveLength(2);
  plane.context.deletion.delete('persistentvolumeclaims', 'shop', 'data-db-1');
  await quiet();
  expect(claims()).toHaveLength(1);
  expect(objects().list('persistentvolumes')).toHaveLength(1);
  expect(await readdir(dir)).toHaveLength(1);
  plane.context.deletion.delete('persistentvolumeclaims', 'shop', 'data-db-0');
  await quiet();
  expect(claims()).toHaveLength(1);
});

test('scaling down waits for a pod that does not work, unless it is the first of them', async () => {
  await apply({ replicas: 3, volumeClaimTemplates: [] });
  for (let round = 0; round < 3; round += 1) await allReady();
  expect(names()).toEqual(['db-0', 'db-1', 'db-2']);
  const unready = (...broken: string[]) => {
    for (const pod of pods().filter(({ metadata }) => broken.includes(metadata.name)))
      objects().modify('pods', 'shop', pod.metadata.name, ({ status }) => {
        for (const condition of status?.conditions ?? [])
          if (condition.type === 'Ready') condition.status = 'False';
      });
  };
  const left = () =>
    pods()
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name);
  unready('db-1', 'db-2');
  await change((spec) => {
    spec.replicas = 0;
  });
  expect(left()).toEqual(['db-0', 'db-1', 'db-2']);
  plane.ready(pods()[2] as never);
  await quiet();
  expect(left()).toEqual(['db-0', 'db-1']);
  plane.bury();
  await quiet();
  expect(left()).toEqual(['db-0']);
});

const change = async (edit: (spec: StatefulSet['spec']) => void) => {
  objects().modify('statefulsets.apps', 'shop', 'db', ({ spec }) => edit(spec));
  await quiet();
};
const setImage = (image: string) =>
  change((spec) => {
    spec.template.spec.containers = [{ name: 'c', image }];
  });
const images = () => pods().map(({ spec }) => spec.containers[0]?.image);
const going = () => pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length;

test('Parallel makes all at once, and renews as many at once as may be away', async () => {
  await apply({
    replicas: 4,
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
  });
  expect(names()).toHaveLength(4);
  await allReady();
  await setImage('a:2');
  expect(going()).toBe(2);
  await allReady();
  expect(images()).toEqual(['a:1', 'a:1', 'a:2', 'a:2']);
  expect(going()).toBe(0);
  await allReady();
  expect(going()).toBe(2);
});

test('a partition keeps the lower ones old, also when they are made anew; OnDelete keeps all', async () => {
  await apply({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } });
  await allReady();
  await allReady();
  await setImage('a:2');
  for (let step = 0; step < 3; step += 1) await allReady();
  expect(images()).toEqual(['a:1', 'a:2']);
  plane.context.deletion.delete('pods', 'shop', 'db-0', { gracePeriodSeconds: 0 });
  await quiet();
  expect(images()).toEqual(['a:1', 'a:2']);
  await change((spec) => {
    spec.updateStrategy = { type: 'OnDelete' };
  });
  await setImage('a:3');
  await allReady();
  expect(images()).toEqual(['a:1', 'a:2']);
});

test('the next pod waits until the one before was ready for long enough', async () => {
  await apply({ minReadySeconds: 30 });
  await allReady();
  expect(names()).toEqual(['db-0']);
  await plane.clock.advance(31_000);
  await quiet();
  expect(names()).toEqual(['db-0', 'db-1']);
});

test('claims go with what the policy says: the pod that is given up, or the set', async () => {
  await apply({ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } });
  await allReady();
  await allReady();
  expect(claims().map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual([
    'StatefulSet',
    'StatefulSet',
  ]);
  await change((spec) => {
    spec.replicas = 1;
  });
  expect(claims()[1]?.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'db-1' }]);
  plane.bury();
  await quiet();
  expect(claims().map(({ metadata }) => metadata.name)).toEqual(['data-db-0']);
  plane.context.deletion.delete('statefulsets.apps', 'shop', 'db', { propagationPolicy: 'Background' });
  await quiet();
  plane.bury();
  await quiet();
  expect(claims()).toEqual([]);
});
