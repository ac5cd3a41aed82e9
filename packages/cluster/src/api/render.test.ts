import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const PATH = '/api/v1/namespaces';
const get = (path: string, userAgent = 'kubectl/v1.35.0') =>
  under.send('GET', path, { headers: { 'user-agent': userAgent } });

it('writes lines for people, which say the same', async () => {
  const plain = await get(PATH);
  expect(plain.text).not.toContain('\n');
  for (const reply of [await get(PATH, 'curl/8.5.0'), await get(`${PATH}?limit=500&pretty=true`)]) {
    expect(reply.text).toContain('\n  "kind": "NamespaceList",\n');
    expect(reply.body).toEqual(plain.body);
    expect(Number(reply.headers['content-length'])).toBe(reply.bytes.length);
  }
  const error = await get(`${PATH}/missing?pretty=1`);
  expect(error.text).toContain('\n  "code": 404\n');
});

it('does as it is told where that is against the kind of program', async () => {
  expect((await get(`${PATH}?pretty=false`, 'curl/8.5.0')).text).not.toContain('\n');
});

it('tells at length how it is when asked to', async () => {
  expect((await get('/readyz')).text).toBe('ok');
  expect((await get('/readyz?verbose')).text).toBe('[+]ping ok\n[+]store ok\nreadyz check passed\n');
});
