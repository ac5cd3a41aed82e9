import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { configMap } from './testing/manifests.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

it('replaces an object whatever its version when it is said to be 0', async () => {
  const path = '/api/v1/namespaces/default/configmaps';
  await under.send('POST', path, { body: configMap('any') });
  const put = (resourceVersion: string, value: string) => {
    const body = configMap('any', { value });
    return under.send('PUT', `${path}/any`, {
      body: { ...body, metadata: { ...body.metadata, resourceVersion } },
    });
  };
  expect((await put('1', 'a')).code).toBe(409);
  const replaced = await put('0', 'b');
  expect(replaced.body.data).toEqual({ value: 'b' });
  expect(replaced.body.metadata.resourceVersion).not.toBe('0');
});
