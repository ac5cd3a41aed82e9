import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { configMap } from './testing/manifests.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const lines = async () => (await under.send('GET', '/metrics')).text.split('\n');

it('tells what was answered and what is kept, as Prometheus reads it', async () => {
  const path = '/api/v1/namespaces/default/configmaps';
  await under.send('POST', path, { body: configMap('a') });
  await under.send('GET', path);
  await under.send('GET', path);
  await under.send('GET', `${path}/missing`);
  await under.send('GET', `${path}/a/made-up`);
  const where = 'group="",resource="configmaps"';
  await vi.waitFor(async () => {
    const found = await lines();
    expect(found.filter((line) => line.includes(where)).toSorted()).toEqual([
      `apiserver_request_total{code="200",${where},scope="namespace",subresource="",version="v1",verb="LIST"} 2`,
      `apiserver_request_total{code="201",${where},scope="namespace",subresource="",version="v1",verb="CREATE"} 1`,
      `apiserver_request_total{code="404",${where},scope="resource",subresource="",version="v1",verb="GET"} 2`,
    ]);
  });
  const found = await lines();
  expect(found).toContain('apiserver_storage_objects{resource="configmaps"} 1');
  expect(found).toContain('# TYPE apiserver_request_total counter');
  for (const line of found.filter((each) => each !== '' && !each.startsWith('#')))
    expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+(\.\d+)?$/);
});

it('is for those who may ask', async () => {
  const headers = { 'impersonate-user': 'nobody' };
  expect((await under.send('GET', '/metrics', { headers })).code).toBe(403);
});
