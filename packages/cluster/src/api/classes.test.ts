import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

// What is said once and for all, and what classes write into those that name them.
const V1 = '/api/v1/namespaces/default';
const MAPS = `${V1}/configmaps`;

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const post = (path: string, body: unknown) => under.send('POST', path, { body });
const patch = (path: string, body: unknown) =>
  under.send('PATCH', path, { body, type: 'application/merge-patch+json' });

it.each([
  ['priorityclasses', 'scheduling.k8s.io', { value: 5 }, { value: 6 }, 'value'],
  ['runtimeclasses', 'node.k8s.io', { handler: 'runc' }, { handler: 'other' }, 'handler'],
  ['storageclasses', 'storage.k8s.io', { provisioner: 'a.b/c' }, { provisioner: 'd.e/f' }, 'provisioner'],
])('what %s say once, they say for good', async (...[plural, group, first, second, field]) => {
  const path = `/apis/${group}/v1/${plural}`;
  expect((await post(path, { metadata: { name: 'one' }, ...first })).code).toBe(201);
  const refused = await patch(`${path}/one`, second);
  expect(refused).toMatchObject({ code: 422, body: { details: { causes: [{ field }] } } });
  expect((await patch(`${path}/one`, { metadata: { labels: { a: 'b' } } })).code).toBe(200);
});

it('immutable maps keep their bytes, too', async () => {
  const map = { metadata: { name: 'fixed' }, immutable: true, binaryData: { a: 'AAAA' } };
  expect((await post(MAPS, map)).code).toBe(201);
  expect((await patch(`${MAPS}/fixed`, { binaryData: { a: 'BBBB' } })).code).toBe(422);
});

it('a RuntimeClass writes into its pods what it costs and where they can run', async () => {
  await post('/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'sandboxed' },
    handler: 'runc',
    overhead: { podFixed: { memory: '64Mi' } },
    scheduling: { nodeSelector: { kind: 'special' }, tolerations: [{ key: 'special', operator: 'Exists' }] },
  });
  const pod = (name: string, spec: object) => ({
    metadata: { name },
    spec: { runtimeClassName: 'sandboxed', containers: [{ name: 'c', image: 'a:1' }], ...spec },
  });
  const made = await post(`${V1}/pods`, pod('classed', { nodeSelector: { disk: 'ssd' } }));
  expect(made.body.spec).toMatchObject({
    overhead: { memory: '64Mi' },
    nodeSelector: { kind: 'special', disk: 'ssd' },
  });
  expect(made.body.spec.tolerations).toContainEqual({ key: 'special', operator: 'Exists' });
  expect((await post(`${V1}/pods`, pod('other', { nodeSelector: { kind: 'plain' } }))).code).toBe(403);
});
