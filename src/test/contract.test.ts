import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it as test } from 'vitest';
import { STORES, runApp, sendRaw, type RunningApp } from './testing/running-app.ts';

const data = (name: string) =>
  readFileSync(new URL(`../data/addresses/${name}.json`, import.meta.url), 'utf8');
const namo = data('namo');
const raga = data('raga');
const minimal = '{"full_name":"A"}';
const ERROR_TYPE = 'application/json; charset=UTF-8';

async function expectError(
  response: Response,
  code: number,
  message: string,
): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  expect({ status: response.status, ...body }).toMatchObject({ status: code, code, message });
  expect(response.statusText).toBe(message);
  expect(response.headers.get('content-type')).toBe(ERROR_TYPE);
  return body;
}

describe.each(Object.entries(STORES))('the contract, %s store', (_name, kind) => {
  const it = kind.skip === undefined ? test : test.skip;
  let dir: string;
  let app: RunningApp;
  const call = (method: string, at: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(app.url + at, {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });
  const post = (body: string | Buffer, headers?: Record<string, string>) =>
    call('POST', '/addresses', body, headers);
  const create = async (body = minimal) => (await post(body)).headers.get('location') ?? '';

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'addrservice-contract-'));
    if (kind.skip !== undefined) return;
    await kind.setUp();
    app = await runApp({ store: await kind.make(dir) });
  }, 60_000);
  afterAll(async () => {
    if (kind.skip === undefined) await app.close();
    await kind.tearDown();
    await rm(dir, { recursive: true, force: true });
  });

  it('starts empty', async () => {
    const response = await call('GET', '/addresses');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{}');
  });

  it.each([namo, raga])('creates, reads, replaces and deletes', async (entry) => {
    const created = await post(entry, { 'content-type': 'application/json' });
    expect(created.status).toBe(201);
    expect(await created.text()).toBe('');
    const location = created.headers.get('location') ?? '';
    expect(location).toMatch(/^\/addresses\/[0-9a-f]{32}$/);
    const read = await call('GET', location);
    expect(read.status).toBe(200);
    expect(read.headers.get('content-type')).toBe(ERROR_TYPE);
    expect(await read.json()).toEqual(JSON.parse(entry));
    const list = (await (await call('GET', '/addresses/')).json()) as Record<string, unknown>;
    expect(list[location.slice(11)]).toEqual(JSON.parse(entry));
    const replaced = await call('PUT', `${location}/`, minimal);
    expect(replaced.status).toBe(204);
    expect(await replaced.text()).toBe('');
    expect(await (await call('GET', location)).json()).toEqual({
      full_name: 'A',
      addresses: [],
      phone_numbers: [],
      fax_numbers: [],
      emails: [],
    });
    expect((await call('DELETE', location, undefined, { 'content-type': 'application/json' })).status).toBe(
      204,
    );
    await expectError(await call('GET', location), 404, 'Address Not Found');
    await expectError(await call('DELETE', location), 404, 'Address Not Found');
    await expectError(await call('PUT', location, minimal), 404, 'Address Not Found');
  });

  it.each([
    '',
    '{',
    'NaN',
    '{"full_name":NaN}',
    '[1,]',
    "{'full_name':'a'}",
    '{"full_name":"a"} x',
    '\ufeff{"full_name":"a"}',
    '{"full_name":"a","phone_numbers":[{"kind":"home","country_code":1e400,"local_number":1}]}',
    '{"full_name":"a","phone_numbers":[{"kind":"home","country_code":1,"local_number":9007199254740993}]}',
    '{"full_name":"a","addresses":[{"kind":"home","street_name":"s","pincode":0.1000000000000000055,"country":"c"}]}',
    '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n{}\r\n--b--',
  ])('refuses as JSON: %j', async (body) => {
    await expectError(await post(body), 400, 'Invalid JSON body');
    await expectError(await call('PUT', `/addresses/${'0'.repeat(32)}`, body), 400, 'Invalid JSON body');
  });

  it('refuses what is no UTF-8', async () => {
    await expectError(await post(Buffer.from([0x22, 0xff, 0x22])), 400, 'Invalid JSON body');
  });

  it('keeps numbers exactly that it can keep', async () => {
    const number = 9007199254740992;
    const phone = `{"kind":"mobile","country_code":1.50e1,"local_number":${number}}`;
    const body = `{"full_name":"1e999 12345678901234567890","phone_numbers":[${phone}]}`;
    const read = (await (await call('GET', await create(body))).json()) as { phone_numbers: unknown[] };
    expect(read.phone_numbers).toEqual([{ kind: 'mobile', country_code: 15, local_number: number }]);
  });

  it.each([
    'null',
    '[]',
    '"x"',
    '1',
    '{}',
    '{"full_name":1}',
    '{"full_name":null}',
    '{"full_name":"a","x":1}',
    '{"full_name":"a","__proto__":{}}',
    '{"full_name":"a","is_company":"yes"}',
    '{"full_name":"a","emails":{}}',
    '{"full_name":"a","addresses":[{}]}',
    '{"full_name":"a","addresses":null}',
    '{"full_name":"a","addresses":[{"kind":"mobile","street_name":"s","pincode":1,"country":"c"}]}',
    '{"full_name":"a","fax_numbers":[{"kind":"mobile","country_code":1,"local_number":1}]}',
    '{"full_name":"a","phone_numbers":[{"kind":"home","country_code":"1","local_number":1}]}',
    '{"full_name":"a","emails":[{"kind":"home","email":"no address"}]}',
  ])('refuses by its schema: %s', async (body) => {
    await expectError(await post(body), 400, 'JSON Schema validation failed');
  });

  it.each([
    ['full_name has invalid value ', '{"full_name":""}'],
    [
      'street_name has invalid value ',
      '{"full_name":"a","addresses":[{"kind":"home","street_name":"","pincode":0,"country":""}]}',
    ],
    [
      'pincode has invalid value 0',
      '{"full_name":"","addresses":[{"kind":"home","street_name":"s","pincode":0,"country":""}]}',
    ],
    [
      'country has invalid value ',
      '{"full_name":"a","addresses":[{"kind":"home","street_name":"s","pincode":"1","country":""}]}',
    ],
    [
      'country_code has invalid value 0',
      '{"full_name":"a","phone_numbers":[{"kind":"mobile","country_code":0,"local_number":0}]}',
    ],
    [
      'local_number has invalid value 0',
      '{"full_name":"a","fax_numbers":[{"kind":"work","country_code":1,"local_number":0}]}',
    ],
    ['email has invalid value ', '{"full_name":"a","emails":[{"kind":"work","email":""}]}'],
  ])('refuses empty values: %s', async (message, body) => {
    await expectError(await post(body), 400, message);
  });

  it('refuses deep nesting without falling over', async () => {
    const depth = 40_000;
    const body = `{"full_name":"a","emails":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const response = await post(body);
    expect(response.status).toBe(400);
  });

  it('takes any Content-Type, and none', async () => {
    for (const type of [
      'text/plain',
      'multipart/form-data; boundary=b',
      'nonsense',
      'application/x-www-form-urlencoded',
    ]) {
      expect((await post(minimal, { 'content-type': type })).status).toBe(201);
    }
    expect((await post(Buffer.from(minimal))).status).toBe(201);
  });

  it('undoes gzip, refuses broken, cut-off, big and unknown codings', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    expect((await post(gzipSync(minimal), gzip)).status).toBe(201);
    expect((await post(minimal, { 'content-encoding': 'identity' })).status).toBe(201);
    await expectError(await post(gzipSync(minimal).subarray(0, 20), gzip), 400, 'Invalid JSON body');
    await expectError(await post('plain', gzip), 400, 'Invalid JSON body');
    const unknown = await post(minimal, { 'content-encoding': 'br' });
    expect(unknown.headers.get('accept-encoding')).toBe('gzip, identity');
    await expectError(unknown, 415, 'Unsupported Media Type');
    const bomb = gzipSync(`{"full_name":"${'a'.repeat(3_000_000)}"}`);
    expect(bomb.length).toBeLessThan(10_000);
    await expectError(await post(bomb, gzip), 413, 'Content Too Large');
    await expectError(await post(`{"full_name":"${'a'.repeat(200_000)}"}`), 413, 'Content Too Large');
  });

  it('offers gzip for answers that are worth it', async () => {
    const location = await create(`{"full_name":"${'long '.repeat(400)}"}`);
    const get = (encoding: string) => call('GET', location, undefined, { 'accept-encoding': encoding });
    const zipped = await get('gzip');
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(zipped.headers.get('vary')).toBe('Accept-Encoding');
    expect(((await zipped.json()) as { full_name: string }).full_name).toHaveLength(2000);
    expect((await get('*')).headers.get('content-encoding')).toBe('gzip');
    for (const refused of ['identity', 'gzip;q=0', 'gzip; q=0.0, *', 'br']) {
      expect((await get(refused)).headers.get('content-encoding')).toBeNull();
    }
    const small = await call('GET', await create(), undefined, { 'accept-encoding': 'gzip' });
    expect(small.headers.get('content-encoding')).toBeNull();
  });

  it('answers 304 to whom nothing is new', async () => {
    const location = await create(`{"full_name":"${'long '.repeat(400)}"}`);
    for (const at of [location, '/addresses']) {
      const plain = await call('GET', at, undefined, { 'accept-encoding': 'identity' });
      const etag = plain.headers.get('etag') ?? '';
      const zippedTag =
        (await call('GET', at, undefined, { 'accept-encoding': 'gzip' })).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      expect(zippedTag).not.toBe(etag);
      for (const tag of [etag, `W/${etag}`, '*', `"x", ${etag}`, zippedTag]) {
        const response = await call('GET', at, undefined, { 'if-none-match': tag });
        expect(response.status).toBe(304);
        expect(await response.text()).toBe('');
      }
      expect((await call('GET', at, undefined, { 'if-none-match': '"x"' })).status).toBe(200);
    }
  });

  it('refuses lost updates with 412', async () => {
    const location = await create();
    const etag = (await call('GET', location)).headers.get('etag') ?? '';
    expect((await call('PUT', location, '{"full_name":"B"}', { 'if-match': etag })).status).toBe(204);
    await expectError(await call('PUT', location, minimal, { 'if-match': etag }), 412, 'Precondition Failed');
    await expectError(
      await call('DELETE', location, undefined, { 'if-match': etag }),
      412,
      'Precondition Failed',
    );
    await expectError(
      await call('PUT', location, minimal, { 'if-none-match': '*' }),
      412,
      'Precondition Failed',
    );
    const now = (await call('GET', location)).headers.get('etag') ?? '';
    await expectError(
      await call('DELETE', location, undefined, { 'if-match': `W/${now}` }),
      412,
      'Precondition Failed',
    );
    expect((await call('DELETE', location, undefined, { 'if-match': '*' })).status).toBe(204);
  });

  it('knows its endpoints, by their spelling, for every method', async () => {
    for (const at of [
      '/',
      '/x',
      '/addresses/a_b',
      '/addresses/a/b',
      '/addresses//',
      '//addresses',
      '/%61ddresses',
      '/Addresses',
      '/addresses/%',
      '/livez/x',
      '/addresses/a%2fb',
    ]) {
      for (const method of ['GET', 'POST', 'PATCH', 'OPTIONS', 'PROPFIND']) {
        const response = await call(method, `${at}?q=secret`);
        const body = await expectError(response, 404, 'Unknown Endpoint');
        expect(body).toMatchObject({ method, uri: at });
        expect(body).not.toHaveProperty('trace');
      }
    }
  });

  it('decodes nothing in a path', async () => {
    for (const at of [
      '/addresses/%2e%2e',
      '/addresses/..',
      '/./addresses',
      '/addresses/..%2f..%2fetc%2fpasswd',
      '/addresses/%zz',
    ]) {
      const answer = await sendRaw(app.port, `GET ${at} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 Unknown Endpoint\r\n/);
      expect(answer).toContain(`"uri":"${at}"`);
    }
  });

  it('names the allowed methods', async () => {
    const allowed = {
      '/addresses': 'GET, HEAD, POST, OPTIONS',
      '/addresses/x/': 'GET, HEAD, PUT, DELETE, OPTIONS',
      '/readyz': 'GET, HEAD, OPTIONS',
    };
    for (const [at, allow] of Object.entries(allowed)) {
      const wrong = await call('PATCH', at, 'x');
      expect(wrong.headers.get('allow')).toBe(allow);
      await expectError(wrong, 405, 'Method Not Allowed');
      const options = await call('OPTIONS', at);
      expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
    }
    await expectError(await call('DELETE', '/addresses'), 405, 'Method Not Allowed');
    await expectError(await call('POST', '/addresses/x', minimal), 405, 'Method Not Allowed');
  });

  it('answers HEAD like GET without the body', async () => {
    const location = await create();
    const [get, head] = [await call('GET', location), await call('HEAD', location)];
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    for (const name of ['etag', 'content-type', 'content-length'])
      expect(head.headers.get(name)).toBe(get.headers.get(name));
  });

  it('answers briefly to long ids', async () => {
    const body = await expectError(
      await call('GET', `/addresses/${'a'.repeat(5000)}`),
      404,
      'Address Not Found',
    );
    expect(body).toMatchObject({ code: 404 });
    expect((await call('GET', `/addresses/${'a'.repeat(9000)}`)).status).toBe(414);
  });

  it('carries request ids and writes one line for each request', async () => {
    const given = await call('GET', '/addresses?name=secret', undefined, { 'x-request-id': 'abc-123' });
    expect(given.headers.get('x-request-id')).toBe('abc-123');
    const made = await call('POST', '/addresses', 'x', { 'x-request-id': 'bad id "' });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await call('GET', '/livez');
    const lines = app.lines();
    expect(lines.filter((line) => line['request_id'] === 'abc-123')).toMatchObject([
      { message: 'request', method: 'GET', route: '/addresses', path: '/addresses', status: 200 },
    ]);
    expect(lines.at(-1)).toMatchObject({
      request_id: made.headers.get('x-request-id'),
      status: 400,
      level: 'info',
    });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('tells who it is and when it should get no more requests', async () => {
    expect(await (await call('GET', '/livez')).json()).toEqual({ status: 'alive' });
    const ready = await call('GET', '/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', store: app.store.description },
    ]);
    app.readiness.draining = true;
    try {
      const draining = await call('GET', '/readyz');
      expect([draining.status, await draining.json()]).toEqual([
        503,
        { status: 'draining', store: app.store.description },
      ]);
      const served = await call('GET', '/addresses');
      expect([served.status, served.headers.get('connection')]).toEqual([200, 'close']);
      expect((await call('GET', '/livez')).status).toBe(200);
    } finally {
      app.readiness.draining = false;
    }
  });

  it('creates once for one Idempotency-Key, whoever sends it again', async () => {
    const headers = { 'idempotency-key': '"order-1"' };
    const [first, second] = [await post(namo, headers), await post(namo, headers)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    const third = await post(raga, headers);
    await expectError(third, 422, 'Idempotency-Key was used with another body');
    await expectError(
      await post(namo, { 'idempotency-key': 'x'.repeat(256) }),
      400,
      'Invalid Idempotency-Key',
    );
  });

  it('gives the list in pages when asked to', async () => {
    await Promise.all(Array.from({ length: 3 }, () => create()));
    const all = (await (await call('GET', '/addresses')).json()) as object;
    const seen: string[] = [];
    let next: string | undefined = '/addresses?limit=2';
    while (next !== undefined) {
      const response = await call('GET', next);
      expect(response.status).toBe(200);
      expect(response.headers.get('etag')).not.toBeNull();
      seen.push(...Object.keys((await response.json()) as object));
      next = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(Object.keys(all).toSorted());
    for (const bad of ['limit=0', 'limit=x', 'limit=', 'limit=99999']) {
      await expectError(await call('GET', `/addresses?${bad}`), 400, 'limit has invalid value');
    }
    await expectError(await call('GET', '/addresses?cursor=../x'), 400, 'cursor has invalid value');
    expect((await call('GET', '/addresses?other=1')).status).toBe(200);
  });
});
