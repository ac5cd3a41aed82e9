import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

it('others check a token of a service account by what the issuer says of itself', async () => {
  await under.send('POST', ACCOUNTS, { body: { metadata: { name: 'robot' } } });
  const spec = { audiences: ['vault', 'https://kubernetes.default.svc'] };
  const issued = await under.send('POST', `${ACCOUNTS}/robot/token`, { body: { spec } });
  const token = issued.body.status.token as string;
  const ask = (path: string, headers = { authorization: `Bearer ${token}` }) =>
    under.send('GET', path, { anonymous: true, headers });
  const configuration = await ask('/.well-known/openid-configuration');
  const { issuer, jwks_uri: where } = configuration.body as { issuer: string; jwks_uri: string };
  const keys = await ask(new URL(where).pathname);
  expect([configuration.code, keys.code, keys.headers['content-type']]).toEqual([
    200,
    200,
    'application/jwk-set+json',
  ]);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as { [key: string]: unknown };
  const key = keys.body.keys.find(({ kid }: { kid: string }) => kid === read(header)['kid']);
  const options = { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    options,
    Buffer.from(signature, 'base64url'),
  );
  expect([isSigned, read(payload)['iss'], key.d]).toEqual([true, issuer, undefined]);
});

it('tells strangers nothing of its tokens', async () => {
  for (const path of ['/.well-known/openid-configuration', '/openid/v1/jwks'])
    expect((await under.send('GET', path, { anonymous: true })).code).toBe(401);
});
