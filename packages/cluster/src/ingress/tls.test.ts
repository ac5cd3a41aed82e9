import { KeyObject, webcrypto } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
// @peculiar/x509's injector needs it before anything else.
import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../api/certificates.ts';
import { NGINX, openIngressBench, toService } from './testing.ts';
import type { IngressBench } from './testing.ts';

let bench: IngressBench;
beforeEach(async () => {
  bench = await openIngressBench();
  await bench.serve('web', (request, response) =>
    response.end(JSON.stringify({ url: request.url, headers: request.headers })),
  );
});
afterEach(() => bench.close());

async function certificate(name: string, host: string): Promise<Record<string, string>> {
  const pair = await createSelfSigned({ name, hosts: [host] }, Date.now(), 1);
  return { 'tls.crt': pair.certificate, 'tls.key': pair.key };
}

/** A certificate whose key is of another kind than the default one's. */
async function certificateOf(
  host: string,
  algorithm: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | webcrypto.Algorithm,
): Promise<Record<string, string>> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const signed = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${algorithm.name}`,
    keys,
    signingAlgorithm: { ...algorithm, hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { 'tls.crt': signed.toString('pem'), 'tls.key': String(key) };
}

/** The common name that a handshake for this host ends in. */
function nameFor(
  host: string,
  port = bench.server.tlsPort,
  more: tls.ConnectionOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = host === '' ? more : { ...more, servername: host };
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...server }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

interface Answer {
  readonly code: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

function ask(kind: typeof http | typeof https, options: https.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = kind.request({ host: '127.0.0.1', agent: false, rejectUnauthorized: false, ...options });
    request.on('error', reject);
    request.on('response', (response) => {
      void text(response).then((body) =>
        resolve({ code: response.statusCode, headers: response.headers, text: body }),
      );
    });
    request.end();
  });
}

const DEFAULT_NAME = 'Updraft Ingress Default Certificate';
const rules = [toService('shop.test', 'web'), toService('*.shop.test', 'web')];

describe('certificates', () => {
  it('are chosen by name: exact, then wildcard, then the default one', async () => {
    bench.secret('one', await certificate('exact', 'shop.test'));
    bench.secret('wild', await certificate('wild', '*.shop.test'));
    bench.ingress('web', {
      rules,
      tls: [
        { hosts: ['shop.test'], secretName: 'one' },
        { hosts: ['*.shop.test'], secretName: 'wild' },
      ],
    });
    expect(await nameFor('SHOP.test')).toBe('exact');
    expect(await nameFor('a.shop.test')).toBe('wild');
    expect(await nameFor('a.b.shop.test')).toBe(DEFAULT_NAME);
    expect(await nameFor('other.test')).toBe(DEFAULT_NAME);
    expect(await nameFor('')).toBe(DEFAULT_NAME);
    expect(await bench.events()).toEqual([]);
  });

  it.each([
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    { name: 'ECDSA', namedCurve: 'P-384' },
    { name: 'Ed25519' },
  ])('may have any kind of key: $name', async (algorithm) => {
    bench.secret('one', await certificateOf('shop.test', algorithm));
    bench.ingress('web', { rules, tls: [{ hosts: ['shop.test'], secretName: 'one' }] });
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      expect(await nameFor('shop.test', undefined, { maxVersion })).toBe(algorithm.name);
      expect(await nameFor('other.test', undefined, { maxVersion })).toBe(DEFAULT_NAME);
    }
    expect(await bench.events()).toEqual([]);
  });

  it('follow their Secret at once', async () => {
    bench.ingress('web', { rules, tls: [{ hosts: ['shop.test'], secretName: 'one' }] });
    expect(await nameFor('shop.test')).toBe(DEFAULT_NAME);
    bench.secret('one', await certificate('first', 'shop.test'));
    expect(await nameFor('shop.test')).toBe('first');
    bench.secret('one', await certificate('second', 'shop.test'));
    expect(await nameFor('shop.test')).toBe('second');
  });

  it('that are missing, broken, somebody else’s or for other names are told of', async () => {
    const { 'tls.crt': crt = '' } = await certificate('a', 'shop.test');
    const { 'tls.key': key = '' } = await certificate('b', 'shop.test');
    bench.secret('mixed', { 'tls.crt': crt, 'tls.key': key });
    bench.secret('broken', { 'tls.crt': 'no', 'tls.key': 'no' });
    bench.secret('foreign', await certificate('foreign', 'other.test'));
    const secrets = ['absent', 'mixed', 'broken', 'foreign'];
    bench.ingress('web', { rules, tls: secrets.map((secretName) => ({ hosts: ['shop.test'], secretName })) });
    const events = await bench.events();
    expect(events.toSorted()).toEqual([
      expect.stringMatching(/^CertificateInvalid: Secret shop\/broken holds no usable/),
      expect.stringMatching(/^CertificateInvalid: Secret shop\/mixed holds no usable.*the key is another/),
      expect.stringMatching(/^CertificateMismatch: .*shop\/foreign does not name shop\.test/),
      expect.stringMatching(/^CertificateMissing: Secret shop\/absent does not exist/),
    ]);
    expect(await nameFor('shop.test')).toBe(DEFAULT_NAME);
  });

  it('belong to the namespace of the Ingress', async () => {
    const data = Object.entries(await certificate('secret', 'shop.test'));
    bench.objects.create('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'one', namespace: 'elsewhere' },
      data: Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    });
    bench.ingress('web', { rules, tls: [{ hosts: ['shop.test'], secretName: 'one' }] });
    expect(await nameFor('shop.test')).toBe(DEFAULT_NAME);
  });
});

describe('one port', () => {
  it('answers http and https, and the pod is told which', async () => {
    bench.ingress('web', { rules });
    const headers = { host: 'shop.test' };
    for (const [kind, proto] of [
      [http, 'http'],
      [https, 'https'],
    ] as const) {
      const answer = await ask(kind, { port: bench.server.port, headers, path: '/a?b=1' });
      expect(JSON.parse(answer.text)).toMatchObject({
        url: '/a?b=1',
        headers: {
          'x-forwarded-proto': proto,
          'x-forwarded-port': String(bench.server.port),
          'x-forwarded-host': 'shop.test',
        },
      });
      expect(answer.headers['strict-transport-security']).toBeUndefined();
    }
  });
});

describe('plain http', () => {
  const path = '/a/b?c=d';
  const plain = () => ask(http, { port: bench.server.port, path, headers: { host: 'shop.test:80' } });

  it('is sent on to where https is, when the host has TLS', async () => {
    bench.ingress('web', { rules, tls: [{ hosts: ['shop.test'], secretName: 'absent' }] });
    const { code, headers } = await plain();
    expect(code).toBe(308);
    expect(headers.location).toBe(`https://shop.test:${bench.server.tlsPort}${path}`);
  });

  it('is served when the annotation says so', async () => {
    bench.ingress('web', { rules, tls: [{ hosts: ['shop.test'] }] }, { [`${NGINX}ssl-redirect`]: 'false' });
    expect((await plain()).code).toBe(200);
  });

  it('is sent on without TLS only when forced', async () => {
    bench.ingress(
      'web',
      { rules: [toService('other.test', 'web')] },
      { [`${NGINX}force-ssl-redirect`]: 'true' },
    );
    bench.ingress('plain', { rules });
    expect((await plain()).code).toBe(200);
    expect((await ask(http, { port: bench.server.port, headers: { host: 'other.test' } })).code).toBe(308);
  });
});

describe('HTTP/2', () => {
  it('carries many requests with bodies over one connection', async () => {
    await bench.serve('echo', (request, response) => {
      response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'] });
      request.pipe(response);
    });
    bench.ingress('web', { rules: [toService('echo.test', 'echo')] });
    const session = http2.connect(`https://127.0.0.1:${bench.server.tlsPort}`, { rejectUnauthorized: false });
    const send = (body: string) =>
      new Promise<{ code: unknown; cookies: unknown; text: string }>((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': '/x', ':authority': 'echo.test' });
        stream.on('error', reject);
        stream.on('response', (headers) => {
          void text(stream).then((all) =>
            resolve({ code: headers[':status'], cookies: headers['set-cookie'], text: all }),
          );
        });
        stream.end(body);
      });
    const bodies = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
    const answers = await Promise.all(bodies.map(send));
    expect(answers.map((answer) => answer.text)).toEqual(bodies);
    expect(answers[0]).toMatchObject({ code: 201, cookies: ['a=1', 'b=2'] });
    session.close();
  });
});
