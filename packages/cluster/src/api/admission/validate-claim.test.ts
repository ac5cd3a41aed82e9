import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const CLASSES = '/apis/storage.k8s.io/v1/storageclasses';
const MERGE = 'application/merge-patch+json';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
  for (const allowVolumeExpansion of [true, false]) {
    const metadata = { name: allowVolumeExpansion ? 'grows' : 'stays' };
    const kind = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' };
    const body = { ...kind, metadata, provisioner: 'x.y/z', allowVolumeExpansion };
    expect((await under.send('POST', CLASSES, { body })).code).toBe(201);
  }
});
afterAll(() => under.close());

const ask = (storage: string) => ({ spec: { resources: { requests: { storage } } } });

async function bound(name: string, storageClassName: string): Promise<void> {
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName, volumeName: 'v', ...ask('2Gi').spec };
  const body = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec };
  expect((await under.send('POST', CLAIMS, { body })).code).toBe(201);
  const status = { phase: 'Bound', capacity: { storage: '2Gi' } };
  await under.send('PATCH', `${CLAIMS}/${name}/status`, { body: { status }, type: MERGE });
}

async function change(name: string, body: object): Promise<[number, string | undefined]> {
  const answer = await under.send('PATCH', `${CLAIMS}/${name}`, { body, type: MERGE });
  return [answer.code, answer.body.message];
}

it('a bound claim grows when its class lets it, and never shrinks', async () => {
  await bound('a', 'grows');
  expect((await change('a', ask('3Gi')))[0]).toBe(200);
  // Less than was asked for, but more than there is: an expansion that is taken back.
  expect((await change('a', ask('2500Mi')))[0]).toBe(200);
  expect(await change('a', ask('1Gi'))).toEqual([
    422,
    expect.stringContaining(
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ),
  ]);
});

it('one whose class does not is refused', async () => {
  await bound('b', 'stays');
  expect(await change('b', ask('3Gi'))).toEqual([
    403,
    'persistentvolumeclaims "b" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  ]);
});

it('everything else of a claim stays', async () => {
  await bound('c', 'grows');
  for (const spec of [
    { volumeName: 'other' },
    { accessModes: ['ReadWriteMany'] },
    { storageClassName: 'stays' },
  ])
    expect(await change('c', { spec })).toEqual([
      422,
      expect.stringContaining('spec is immutable after creation'),
    ]);
  const spec = { accessModes: ['ReadWriteOnce'], ...ask('1Gi').spec };
  const body = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'd' }, spec };
  await under.send('POST', CLAIMS, { body });
  expect(await change('d', ask('2Gi'))).toEqual([422, expect.stringContaining('for bound claims')]);
  expect((await change('d', { spec: { volumeName: 'v' } }))[0]).toBe(200);
});
