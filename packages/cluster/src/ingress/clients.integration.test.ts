import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@updraft/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSelfSigned } from '../api/certificates.ts';
import { openIngressBench, toService } from './testing.ts';
import type { IngressBench } from './testing.ts';

let bench: IngressBench;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-clients-'));
  bench = await openIngressBench();
  await bench.serve('web', (_request, response) => response.end('ok'));
});
afterEach(async () => {
  await bench.close();
  await rm(dir, { recursive: true, force: true });
});

it('openssl and curl trust what the Secret holds, over HTTP/2 and 1.1', async () => {
  const pair = await createSelfSigned({ name: 'exact', hosts: ['shop.test'] }, Date.now(), 1);
  bench.secret('one', { 'tls.crt': pair.certificate, 'tls.key': pair.key });
  bench.ingress('web', { rules: [toService('shop.test', 'web')], tls: [{ secretName: 'one' }] });
  const authority = path.join(dir, 'ca.crt');
  await writeFile(authority, pair.certificate);
  const { port, tlsPort } = bench.server;
  const known = [tlsPort, port].flatMap((number) => ['--resolve', `shop.test:${number}:127.0.0.1`]);
  const always = ['-sS', '--cacert', authority, '-w', ' %{http_code} %{http_version}', ...known];
  const curl = async (...args: string[]) => {
    const { stdout, stderr } = await run('curl', [...always, ...args]);
    return stdout + stderr;
  };
  expect(await curl(`https://shop.test:${tlsPort}/x`)).toBe('ok 200 2');
  expect(await curl('--http1.1', `https://shop.test:${port}/x`)).toBe('ok 200 1.1');
  expect(await curl('-L', `http://shop.test:${port}/x`)).toBe('ok 200 2');
  const args = [
    's_client',
    '-connect',
    `127.0.0.1:${tlsPort}`,
    '-servername',
    'shop.test',
    '-alpn',
    'http/1.1',
  ];
  const openssl = await run('openssl', args, { input: '' });
  expect(openssl.stdout).toContain('ALPN protocol: http/1.1');
  const old = await run('openssl', [...args, '-tls1_1'], { input: '' });
  expect(old.stdout).not.toContain('BEGIN CERTIFICATE');
});
