import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';
import { deployment, pod } from '../testing/manifests.ts';

const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const post = (path: string, body: unknown) => under.send('POST', path, { body });
const put = (path: string, body: unknown) => under.send('PUT', path, { body });
const patch = (path: string, body: unknown) =>
  under.send('PATCH', path, { body, type: 'application/merge-patch+json' });

it('what says something about an object may come with its status, but of no Deployment its labels', async () => {
  const note = {
    metadata: { labels: { by: 'status' }, annotations: { by: 'status' }, name: 'noted' },
    status: { replicas: 3 },
  };
  await post(DEPLOYMENTS, deployment('noted'));
  await post(PODS, pod('noted'));
  const set = await patch(`${DEPLOYMENTS}/noted/status`, note);
  expect(set.body.metadata.annotations).toEqual({ by: 'status' });
  expect(set.body.metadata.labels?.by).toBeUndefined();
  const one = await patch(`${PODS}/noted/status`, { ...note, status: { message: 'm' } });
  expect([one.body.metadata.labels.by, one.body.metadata.annotations.by]).toEqual(['status', 'status']);
  const taken = await put(`${PODS}/noted/status`, { ...one.body, metadata: { name: 'noted' } });
  expect([taken.body.metadata.annotations, taken.body.metadata.uid]).toEqual([
    undefined,
    one.body.metadata.uid,
  ]);
  const bad = await patch(`${PODS}/noted/status`, { metadata: { labels: { 'not a label': 'x' } } });
  expect(bad.code).toBe(422);
});
