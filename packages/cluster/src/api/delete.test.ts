import { afterAll, beforeAll, expect, it } from 'vitest';
import { namespace, startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const PATH = '/api/v1/namespaces';

it.each(['default', 'kube-system', 'kube-public'])('never deletes the namespace %s', async (name) => {
  if (name !== 'default') under.store.create('namespaces', namespace(name));
  for (const query of ['', '?dryRun=All']) {
    const refused = await under.send('DELETE', `${PATH}/${name}${query}`);
    expect(refused.code).toBe(403);
    expect(refused.body.message).toBe(`namespaces "${name}" is forbidden: this namespace may not be deleted`);
  }
  expect((await under.send('GET', `${PATH}/${name}`)).body.metadata.deletionTimestamp).toBeUndefined();
});

it('deletes namespaces one by one only, as discovery says', async () => {
  expect((await under.send('DELETE', PATH)).code).toBe(405);
  const { body } = await under.send('GET', '/api/v1');
  const resources = body.resources as { name: string; verbs: string[] }[];
  const takesAll = (plural: string) =>
    resources.find(({ name }) => name === plural)?.verbs.includes('deletecollection');
  expect([takesAll('namespaces'), takesAll('pods')]).toEqual([false, true]);
});
