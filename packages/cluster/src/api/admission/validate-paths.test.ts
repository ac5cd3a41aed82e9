import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest, Reply } from '../testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const CORE = '/api/v1/namespaces/default';
const problemsOf = ({ code, body }: Reply): unknown => [
  code,
  (body.details?.causes as { field: string; message: string }[] | undefined)?.map(
    ({ field, message }) => `${field}: ${message}`,
  ),
];

function podWith(volume: object, mount: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'p-' },
    spec: {
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }] }],
      volumes: [{ name: 'v', ...volume }],
    },
  };
}
const items = (place: string) => ({ items: [{ key: 'k', path: place }] });
const invalid = (field: string, value: string, why: string) => [
  422,
  [`${field}: Invalid value: ${JSON.stringify(value)}: ${why}`],
];

describe('paths of pods', () => {
  const FILE = 'spec.volumes[0].configMap.items[0].path';
  it.each([
    ['../etc/passwd', "must not contain '..'"],
    ['a/../../b', "must not contain '..'"],
    ['/etc/passwd', 'must be a relative path'],
    ['..data', "must not start with '..'"],
    ['a\0b', 'must not contain NUL'],
  ])('a file of a volume at %j: 422', async (place, why) => {
    const reply = await under.send('POST', `${CORE}/pods`, {
      body: podWith({ configMap: { name: 'm', ...items(place) } }),
    });
    expect(problemsOf(reply)).toEqual(invalid(FILE, place, why));
  });

  it.each([
    ['secret', { secret: { secretName: 's', ...items('../x') } }, 'secret.items[0].path'],
    [
      'downwardAPI',
      { downwardAPI: { items: [{ path: '../x', fieldRef: { fieldPath: 'metadata.name' } }] } },
      'downwardAPI.items[0].path',
    ],
    [
      'projected',
      { projected: { sources: [{ secret: { name: 's', ...items('../x') } }] } },
      'projected.sources[0].secret.items[0].path',
    ],
    [
      'token',
      { projected: { sources: [{ serviceAccountToken: { path: '../x' } }] } },
      'projected.sources[0].serviceAccountToken.path',
    ],
    ['hostPath', { hostPath: { path: '../x' } }, 'hostPath.path'],
  ])('%s: 422', async (_what, volume, field) => {
    const reply = await under.send('POST', `${CORE}/pods`, { body: podWith(volume) });
    expect(problemsOf(reply)).toEqual(invalid(`spec.volumes[0].${field}`, '../x', "must not contain '..'"));
  });

  it.each([
    [{ subPath: '../../etc' }, 'subPath', '../../etc', "must not contain '..'"],
    [{ subPath: '/etc' }, 'subPath', '/etc', 'must be a relative path'],
    [{ subPathExpr: '../$(A)' }, 'subPathExpr', '../$(A)', "must not contain '..'"],
  ])('a part of a volume %j: 422', async (mount, key, value, why) => {
    const reply = await under.send('POST', `${CORE}/pods`, { body: podWith({ emptyDir: {} }, mount) });
    expect(problemsOf(reply)).toEqual(invalid(`spec.containers[0].volumeMounts[0].${key}`, value, why));
  });

  it('what only looks like it is let in', async () => {
    const body = podWith({ configMap: { name: 'm', ...items('a..b/...c') } }, { subPath: 'a..b' });
    expect((await under.send('POST', `${CORE}/pods`, { body })).code).toBe(201);
  });
});

it('volumes somebody makes himself name no way upwards', async () => {
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] };
  for (const kind of ['local', 'hostPath']) {
    const reply = await under.send('POST', '/api/v1/persistentvolumes', {
      body: {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `v-${kind.toLowerCase()}` },
        spec: { ...spec, [kind]: { path: '/srv/../etc' } },
      },
    });
    expect(problemsOf(reply)).toEqual(invalid(`spec.${kind}.path`, '/srv/../etc', "must not contain '..'"));
  }
});

it.each([
  ['.', "must not be '.'"],
  ['..', "must not be '..'"],
  ['..data', "must not start with '..'"],
  ['k'.repeat(254), 'must be no more than 253 characters'],
])('a ConfigMap with the key %s: 422', async (key, why) => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { [key]: 'v' } };
  const reply = await under.send('POST', `${CORE}/configmaps`, { body });
  expect(problemsOf(reply)).toEqual(invalid(`data[${key}]`, key, why));
});
