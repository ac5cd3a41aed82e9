import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

it.each([
  ['strategic-merge-patch', { metadata: { labels: 'none' } }, 'cannot restore map from string'],
  ['strategic-merge-patch', { data: ['secret'] }, 'cannot restore map from slice'],
  ['strategic-merge-patch', { immutable: 'yes' }, 'cannot convert string to bool'],
  ['merge-patch', { data: 'secret' }, 'cannot unmarshal string into Go struct field ConfigMap.data'],
])('says of a %s that makes no object what cannot be: %j', async (form, body, words) => {
  const name = `p-${Math.random().toString(36).slice(2)}`;
  const path = '/api/v1/namespaces/default/configmaps';
  await under.send('POST', path, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } });
  const reply = await under.send('PATCH', `${path}/${name}`, { type: `application/${form}+json`, body });
  expect(reply.body).toMatchObject({ code: 422, reason: 'Invalid' });
  expect(reply.body.message).toContain(`patch: Invalid value: "object": `);
  expect(reply.body.message).toContain(words);
  expect(reply.text).not.toContain('secret');
});
