import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

// Kinds that clients of a cluster want to write and read, though nothing acts on them here.
const ROOTS = {
  flow: '/apis/flowcontrol.apiserver.k8s.io/v1',
  network: '/apis/networking.k8s.io/v1',
  policy: '/apis/admissionregistration.k8s.io/v1',
  storage: '/apis/storage.k8s.io/v1',
};

const KINDS: readonly (readonly [path: string, kind: string, rest: object])[] = [
  [`${ROOTS.storage}/csidrivers`, 'CSIDriver', { spec: { attachRequired: false } }],
  [`${ROOTS.storage}/csinodes`, 'CSINode', { spec: { drivers: [] } }],
  [
    `${ROOTS.storage}/namespaces/default/csistoragecapacities`,
    'CSIStorageCapacity',
    { storageClassName: 'fast', capacity: '1Gi' },
  ],
  [
    `${ROOTS.storage}/volumeattachments`,
    'VolumeAttachment',
    { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  ],
  [`${ROOTS.storage}/volumeattributesclasses`, 'VolumeAttributesClass', { driverName: 'd' }],
  [`${ROOTS.network}/servicecidrs`, 'ServiceCIDR', { spec: { cidrs: ['192.168.7.0/24'] } }],
  [
    `${ROOTS.network}/ipaddresses`,
    'IPAddress',
    { spec: { parentRef: { group: '', resource: 'services', namespace: 'a', name: 'b' } } },
  ],
  [
    `${ROOTS.flow}/flowschemas`,
    'FlowSchema',
    { spec: { priorityLevelConfiguration: { name: 'global-default' } } },
  ],
  [`${ROOTS.flow}/prioritylevelconfigurations`, 'PriorityLevelConfiguration', { spec: { type: 'Exempt' } }],
  [
    `${ROOTS.policy}/validatingadmissionpolicies`,
    'ValidatingAdmissionPolicy',
    { spec: { validations: [{ expression: 'true' }] } },
  ],
  [
    `${ROOTS.policy}/validatingadmissionpolicybindings`,
    'ValidatingAdmissionPolicyBinding',
    { spec: { policyName: 'p', validationActions: ['Deny'] } },
  ],
];

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

describe('kinds that nothing acts on', () => {
  it.each(KINDS)('%s are kept, and say so', async (path, kind, rest) => {
    const root = path.split('/').slice(0, 4).join('/');
    const resource = path.split('/').at(-1) ?? '';
    const apiVersion = root.slice('/apis/'.length);
    const labels = { kept: 'yes' };
    const body = { apiVersion, kind, metadata: { name: '192.168.7.9', labels }, ...rest };
    const made = await under.send('POST', path, { body });
    expect([made.code, made.headers['warning']]).toEqual([
      201,
      expect.stringContaining(`${apiVersion} ${kind} is stored, but nothing in this cluster acts on it`),
    ]);
    expect((await under.send('GET', `${path}/192.168.7.9`)).body).toMatchObject(rest);
    const listed = await under.send('GET', root);
    const names = listed.body.resources.map(({ name }: { name: string }) => name) as string[];
    if (names.includes(`${resource}/status`)) {
      const change = { metadata: { annotations: { by: 'status' } }, spec: null, status: { conditions: [] } };
      const type = 'application/merge-patch+json';
      const set = await under.send('PATCH', `${path}/192.168.7.9/status`, { body: change, type });
      expect([set.code, set.body.metadata.annotations]).toEqual([200, undefined]);
      expect(set.body).toMatchObject(rest);
    }
    expect((await under.send('DELETE', `${path}?labelSelector=kept%3Dyes`)).code).toBe(200);
    expect((await under.send('GET', path)).body.items).toEqual([]);
  });
});
