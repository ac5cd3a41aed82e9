import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageDir } from '../lib/places.ts';
import { runApp, withFolder, type RunningApp } from './testing/running-app.ts';

const script = path.join(packageDir, '../.gitlab/scripts/api-test.sh');
const namo = path.join(packageDir, 'data/addresses/namo.json');
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;
const SHELLS = [['dash'], ['bash'], ['busybox', 'sh'], ['sh']].filter(([program = '', ...first]) =>
  has(program, ...first, '-c', ':'),
);

function run(
  shell: readonly string[],
  url: string,
  file: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const [program = '', ...first] = shell;
  const child = spawn(program, [...first, script, url, file], {
    env: { ...process.env, API_TEST_WAIT: '2', API_TEST_TIMEOUT: '3', ...variables },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** What goes wrong: may answer by itself (true), or change what the real service says. */
type Mischief = (
  request: IncomingMessage,
  response: ServerResponse,
) => boolean | ((answer: { status: number; body: string; location?: string }) => void);

/** The real service behind a proxy that lies. */
async function withProxy(
  target: string,
  mischief: Mischief,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = http.createServer(async (request, response) => {
    const decision = mischief(request, response);
    if (decision === true) return;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const hasBody = chunks.length > 0;
    const key = request.headers['idempotency-key'];
    const real = await fetch(target + (request.url ?? ''), {
      method: request.method ?? 'GET',
      ...(typeof key === 'string' ? { headers: { 'idempotency-key': key } } : {}),
      ...(hasBody ? { body: new Uint8Array(Buffer.concat(chunks)) } : {}),
    });
    const location = real.headers.get('location');
    const answer = {
      status: real.status,
      body: await real.text(),
      ...(location === null ? {} : { location }),
    };
    if (decision !== false) decision(answer);
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
    response.end(answer.status === 204 ? undefined : answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A certificate for `host` that signs itself, with its key, and the real service behind it. */
async function withTls(
  target: string,
  host: string,
  work: (given: { url: string; pem: string; folder: string }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const wish =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem -out cert.pem';
    const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
    const made = spawnSync('openssl', [...wish.split(' '), ...names], { cwd: folder });
    expect(made.status, made.stderr.toString()).toBe(0);
    const server = https.createServer(
      { key: await readFile(key), cert: await readFile(cert) },
      (request, response) => {
        const { method, headers } = request;
        const onward = http.request(
          target + (request.url ?? ''),
          { ...(method ? { method } : {}), headers },
          (answer) => {
            response.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(response);
          },
        );
        request.pipe(onward);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const pem = (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8'));
      await work({ url: `https://localhost:${(server.address() as AddressInfo).port}`, pem, folder });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}

const isOne = (request: IncomingMessage) => /^\/addresses\/[0-9a-f]{32}$/.test(request.url ?? '');

// In the image of the tests there is neither the script nor curl.
describe.skipIf(!existsSync(script) || !has('curl', '--version'))('api-test.sh', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await runApp();
  });
  afterAll(() => app.close());

  it.each(SHELLS)('passes with %s', async (...shell) => {
    for (const name of ['namo', 'raga']) {
      const { code, output } = await run(
        shell,
        `${app.url}/`,
        path.join(packageDir, `data/addresses/${name}.json`),
      );
      expect(output).toContain('api-test: passed');
      expect(code).toBe(0);
    }
    expect((await app.store.list()).text).toBe('{}');
  });

  it('passes when an entry is written otherwise, and Location is absolute', () =>
    withProxy(
      app.url,
      (request) => (answer) => {
        if (answer.location !== undefined) answer.location = `http://other.example:81${answer.location}`;
        // Python's way: blanks after punctuation, other order of keys, escapes.
        if (answer.status === 200 && isOne(request)) {
          const entry = JSON.parse(answer.body) as Record<string, unknown>;
          answer.body = JSON.stringify(
            Object.fromEntries(Object.entries(entry).toReversed()),
            null,
            1,
          ).replaceAll('e', String.raw`\u0065`);
        }
      },
      async (url) => {
        const { code, output } = await run(['sh'], url, namo);
        expect([code, output]).toEqual([0, expect.stringContaining('passed')]);
      },
    ));

  it('repeats what may be repeated when a connection breaks', async () => {
    let broken = 0;
    await withProxy(
      app.url,
      (request) => {
        if (request.method !== 'GET' || !isOne(request) || broken > 0) return false;
        broken++;
        request.socket.destroy();
        return true;
      },
      async (url) => {
        const { code, output } = await run(['sh'], url, namo);
        expect([code, output]).toEqual([0, expect.stringContaining('retry GET')]);
      },
    );
  });

  it('sends a create again whose answer got lost, and leaves one entry less than that', async () => {
    const before = (await app.store.list()).text;
    let lost = 0;
    await withProxy(
      app.url,
      (request, response) =>
        request.method === 'POST' &&
        (() => {
          if (lost++ === 0) response.destroy();
        }),
      async (url) => {
        const { code, output } = await run(['sh'], url, namo);
        expect([code, output]).toEqual([0, expect.stringContaining('retry POST')]);
      },
    );
    expect(lost).toBe(2);
    expect((await app.store.list()).text).toBe(before);
  });

  it.each(['POST', 'GET', 'PUT'])(
    'waits a moment for a %s that nobody is ready to answer',
    async (method) => {
      let refused = 0;
      await withProxy(
        app.url,
        (request, response) =>
          request.method === method &&
          (isOne(request) || method === 'POST') &&
          refused++ === 0 &&
          (response.writeHead(503).end(), true),
        async (url) => {
          const { code, output } = await run(['sh'], url, namo);
          expect([code, output]).toEqual([0, expect.stringContaining('status 503')]);
        },
      );
    },
  );

  it('sends a DELETE once', async () => {
    let deletes = 0;
    await withProxy(
      app.url,
      (request, response) =>
        request.method === 'DELETE' && deletes++ === 0 && (response.writeHead(503).end(), true),
      async (url) => {
        const { code, output } = await run(['sh'], url, namo);
        expect([code, output]).toEqual([1, expect.stringContaining('expected status 204, got 503')]);
      },
    );
  });

  const lies: Record<string, Mischief> = {
    'POST says 200': (request) => request.method === 'POST' && ((answer) => (answer.status = 200)),
    'POST gives no Location': (request) => request.method === 'POST' && ((answer) => delete answer.location),
    'POST gives an odd Location': (request) =>
      request.method === 'POST' && ((answer) => (answer.location = '/addresses/$(touch x)')),
    'POST has a body': (request) => request.method === 'POST' && ((answer) => (answer.body = 'created')),
    'GET gives another entry': (request) =>
      request.method === 'GET' &&
      isOne(request) &&
      ((answer) => (answer.body = answer.body.replace('India', 'Indja'))),
    'GET drops a field': (request) =>
      request.method === 'GET' &&
      isOne(request) &&
      ((answer) => (answer.body = answer.body.replace(/"province":"Delhi",/, ''))),
    'GET adds a field': (request) =>
      request.method === 'GET' &&
      isOne(request) &&
      ((answer) => (answer.body = answer.body.replace('{', '{"x":1,'))),
    'GET turns a number into text': (request) =>
      request.method === 'GET' &&
      isOne(request) &&
      ((answer) => (answer.body = answer.body.replace('110011', '"110011"'))),
    'GET is no JSON': (request) =>
      request.method === 'GET' && isOne(request) && ((answer) => (answer.body = '/bin/false {')),
    'the list lacks it': (request) =>
      request.method === 'GET' && request.url === '/addresses' && ((answer) => (answer.body = '{}')),
    'PUT does nothing': (request, response) =>
      request.method === 'PUT' && (response.writeHead(204).end(), true),
    'PUT says 200': (request) => request.method === 'PUT' && ((answer) => (answer.status = 200)),
    'DELETE does nothing': (request, response) =>
      request.method === 'DELETE' && (response.writeHead(204).end(), true),
    'DELETE says 500': (request) => request.method === 'DELETE' && ((answer) => (answer.status = 500)),
    'a 404 without its body': (request) =>
      request.method === 'GET' &&
      isOne(request) &&
      ((answer) => {
        if (answer.status === 404) answer.body = 'gone';
      }),
    'everything is an error': (_request, response) => (response.writeHead(500).end('no'), true),
  };
  it.each(Object.entries(lies))('fails when %s', async (_name, mischief) => {
    await withProxy(app.url, mischief, async (url) => {
      const { code, output } = await run(['sh'], url, namo);
      expect(output).toMatch(/FAIL {2}(POST|GET|PUT|DELETE) /);
      expect(code).toBe(1);
    });
  });

  it('removes what it made when it fails half-way', async () => {
    const before = (await app.store.list()).text;
    await withProxy(app.url, lies['PUT says 200'] ?? (() => false), async (url) => {
      expect((await run(['sh'], url, namo)).code).toBe(1);
    });
    expect((await app.store.list()).text).toBe(before);
  });

  it.skipIf(!has('openssl', 'version'))('trusts the certificate that it is given, however it is given', () =>
    withTls(app.url, 'localhost', async ({ url, pem, folder }) => {
      const file = path.join(folder, 'given.pem');
      await writeFile(file, pem);
      for (const variables of [
        { SSL_CERTIFICATE: pem },
        { SSL_CERTIFICATE: file },
        { BASE64_SSL_CERTIFICATE: Buffer.from(pem).toString('base64') },
      ]) {
        const { code, output } = await run(['sh'], url, namo, variables);
        expect([code, output]).toEqual([0, expect.stringContaining('passed')]);
      }
    }),
  );

  it.skipIf(!has('openssl', 'version'))('trusts no other, and no other name, and says why', async () => {
    await withTls(app.url, 'localhost', async ({ url }) => {
      const { code, output } = await run(['sh'], url, namo, { API_TEST_WAIT: '0' });
      expect([code, output]).toEqual([3, expect.stringMatching(/does not answer: .*certificate/)]);
    });
    await withTls(app.url, 'elsewhere.example', async ({ url, pem }) => {
      const { code, output } = await run(['sh'], url, namo, { API_TEST_WAIT: '0', SSL_CERTIFICATE: pem });
      expect([code, output]).toEqual([3, expect.stringMatching(/does not answer: .*(name|subject)/)]);
      expect(output).not.toContain('PRIVATE KEY');
    });
    const bad = await run(['sh'], 'https://localhost:9', namo, {
      API_TEST_WAIT: '0',
      BASE64_SSL_CERTIFICATE: '%%',
    });
    expect([bad.code, bad.output]).toEqual([2, expect.stringContaining('is not base64')]);
  });

  it('says when nobody answers, and when it is used wrongly', async () => {
    const nobody = await run(['sh'], 'http://127.0.0.1:9', namo, { API_TEST_WAIT: '1' });
    expect([nobody.code, nobody.output]).toEqual([3, expect.stringContaining('does not answer')]);
    for (const args of [
      ['x', namo],
      ['http://127.0.0.1:9', '/nowhere'],
    ] as const) {
      expect((await run(['sh'], args[0], args[1])).code).toBe(2);
    }
    expect(spawnSync('sh', [script]).status).toBe(2);
  });
});
