import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { configMap } from './testing/manifests.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

it('says of an object without a name that it needs one', async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap' };
  const refused = await under.send('POST', '/api/v1/namespaces/default/configmaps', { body });
  expect(refused.body.message).toBe(
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  );
});

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
