import { afterEach, beforeEach, expect, test } from 'vitest';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../kinds/storage.ts';
import { scheduler } from '../scheduler/scheduler.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { settle } from '../testing/fake-clock.ts';
import { conditionOf } from './conditions.ts';
import { ensureStorageClass, volumeController } from './volumes.ts';

let plane: TestPlane;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-volumes-'));
  plane = startPlane((context) => {
    ensureStorageClass(context);
    return [volumeController(context, dir), scheduler(context, 'node')];
  });
  objects().create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: {} });
});
afterEach(async () => {
  await plane.stop();
  await rm(dir, { recursive: true, force: true });
});

const objects = () => plane.context.objects;
const claim = (name = 'data') => objects().get('persistentvolumeclaims', 'shop', name);
const volume = (name: string) => objects().get('persistentvolumes', undefined, name);

async function quiet(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await plane.controllers.idle();
    await settle(5);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function ask(spec: Partial<PersistentVolumeClaimSpec> = {}, name = 'data'): Promise<void> {
  objects().create('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'shop' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  await quiet();
}

async function offer(name: string, spec: Partial<PersistentVolumeSpec> = {}, labels = {}): Promise<void> {
  objects().create('persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '5Gi' },
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'manual',
      hostPath: { path: '/srv' },
      ...spec,
    },
  });
  await quiet();
}

async function storageClass(
  name: string,
  more: { reclaimPolicy?: string; volumeBindingMode?: string; provisioner?: string },
) {
  objects().create('storageclasses.storage.k8s.io', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'updraft.dev/local',
    ...more,
  });
  await quiet();
}

async function use(): Promise<void> {
  objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop' },
    spec: { containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
  });
  await quiet();
}

const pod = () => objects().get('pods', 'shop', 'p');

test('a class that waits for its first consumer binds when a pod comes', async () => {
  await storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Retain' });
  await ask({ storageClassName: 'late' });
  expect(claim()?.status?.phase).toBe('Pending');
  expect(plane.eventTexts()[0]).toBe(
    'WaitForFirstConsumer: waiting for first consumer to be created before binding',
  );
  await use();
  expect(claim()?.metadata.annotations).toEqual({ 'volume.kubernetes.io/selected-node': 'node' });
  expect(claim()?.status?.phase).toBe('Bound');
  expect(pod()?.spec.nodeName).toBe('node');
  expect(volume(claim()?.spec.volumeName ?? '')?.spec).toMatchObject({
    storageClassName: 'late',
    persistentVolumeReclaimPolicy: 'Retain',
  });
});

test("what is retained outlives its claim and is nobody else's", async () => {
  await storageClass('kept', { reclaimPolicy: 'Retain' });
  await ask({ storageClassName: 'kept' });
  const name = claim()?.spec.volumeName ?? '';
  plane.context.deletion.delete('persistentvolumeclaims', 'shop', 'data');
  await quiet();
  expect(claim()).toBeUndefined();
  expect(volume(name)?.status?.phase).toBe('Released');
  expect(await readdir(dir)).toHaveLength(1);
  await ask({ storageClassName: 'kept' });
  expect(claim()?.spec.volumeName).not.toBe(name);
});

test('a claim takes the smallest volume that fits, by size, mode, class and selector', async () => {
  await offer('small', { capacity: { storage: '500Mi' } });
  await offer('large', { capacity: { storage: '9Gi' } });
  await offer('right', {}, { tier: 'gold' });
  await offer('shared', { accessModes: ['ReadWriteMany'], capacity: { storage: '2Gi' } });
  await offer('raw', { volumeMode: 'Block', capacity: { storage: '2Gi' } });
  await ask({ storageClassName: 'manual' });
  expect(claim()?.spec.volumeName).toBe('right');
  await ask({ storageClassName: 'manual', selector: { matchLabels: { tier: 'gold' } } }, 'other');
  expect(claim('other')?.status?.phase).toBe('Pending');
  await offer('gold', {}, { tier: 'gold' });
  expect(claim('other')?.spec.volumeName).toBe('gold');
});

test('a volume and a claim that name each other find each other, whoever comes first', async () => {
  await offer('mine', { claimRef: { namespace: 'shop', name: 'data' } });
  await ask({ storageClassName: 'manual' }, 'thief');
  expect(claim('thief')?.status?.phase).toBe('Pending');
  await ask({ storageClassName: 'manual' });
  expect(claim()?.spec.volumeName).toBe('mine');
  await ask({ storageClassName: '', volumeName: 'named' }, 'wants');
  expect(claim('wants')?.status?.phase).toBe('Pending');
  await offer('named', { storageClassName: '' });
  expect(claim('wants')?.status?.phase).toBe('Bound');
  await ask({ storageClassName: '', volumeName: 'named' }, 'second');
  expect(claim('second')?.status?.phase).toBe('Pending');
});

test('a claim is protected from the start, says what is missing, and is lost with its volume', async () => {
  await ask({ storageClassName: 'nowhere' });
  expect(claim()?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
  expect(plane.eventTexts()).toContain('ProvisioningFailed: storageclass.storage.k8s.io "nowhere" not found');
  await storageClass('nowhere', {});
  expect(claim()?.status?.phase).toBe('Bound');
  objects().store.remove('persistentvolumes', undefined, claim()?.spec.volumeName ?? '');
  await quiet();
  expect(claim()?.status?.phase).toBe('Lost');
  await use();
  expect(conditionOf(pod() ?? {}, 'PodScheduled')?.message).toContain(
    'bound to non-existent persistentvolume',
  );
});

test('a claim that asks for more gets it', async () => {
  await ask();
  objects().modify('persistentvolumeclaims', 'shop', 'data', ({ spec }) => {
    spec.resources = { requests: { storage: '3Gi' } };
  });
  await quiet();
  expect(claim()?.status?.capacity).toEqual({ storage: '3Gi' });
  expect(volume(claim()?.spec.volumeName ?? '')?.spec.capacity).toEqual({ storage: '3Gi' });
});

test('a volume that only says it was made here takes no folder with it', async () => {
  const precious = path.join(dir, 'precious');
  await mkdir(precious);
  const metadata = {
    name: 'pretender',
    annotations: { 'pv.kubernetes.io/provisioned-by': 'updraft.dev/local' },
  };
  objects().create('persistentvolumes', {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata,
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { namespace: 'shop', name: 'nobody', uid: 'gone' },
      local: { path: precious },
    },
  });
  await quiet();
  expect(await readdir(dir)).toContain('precious');
  expect(volume('pretender')?.status?.phase).toBe('Released');
});

test('a volume that is deleted stays while a claim is bound to it', async () => {
  await offer('mine');
  await ask({ storageClassName: 'manual' });
  expect(claim()?.spec.volumeName).toBe('mine');
  expect(volume('mine')?.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
  plane.context.deletion.delete('persistentvolumes', undefined, 'mine');
  await quiet();
  expect(volume('mine')?.metadata.deletionTimestamp).toBeDefined();
  expect(claim()?.status?.phase).toBe('Bound');
  plane.context.deletion.delete('persistentvolumeclaims', 'shop', 'data');
  await quiet();
  expect(claim()).toBeUndefined();
  expect(volume('mine')).toBeUndefined();
  await offer('free');
  plane.context.deletion.delete('persistentvolumes', undefined, 'free');
  await quiet();
  expect(volume('free')).toBeUndefined();
});
