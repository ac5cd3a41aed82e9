import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ClusterCredentials } from './credentials.ts';
import { inClusterAccess, readKubeconfig } from './kubeconfig.ts';

const PEM = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-kubeconfig-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function written(cluster: object, user: object, more: object = {}): Promise<string> {
  const file = path.join(dir, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', namespace: 'ci' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    ...more,
  };
  await writeFile(file, stringify(config));
  return file;
}

const CLUSTER = {
  server: 'https://k8s.example.com:6443',
  'certificate-authority-data': base64(PEM('CERTIFICATE')),
};

describe('a kubeconfig', () => {
  it('is read with its data, and with files beside it', async () => {
    await writeFile(path.join(dir, 'ca.crt'), PEM('CERTIFICATE'));
    const file = await written(
      { server: 'https://10.0.0.1', 'certificate-authority': 'ca.crt', 'tls-server-name': 'api' },
      {
        'client-certificate-data': base64(PEM('CERTIFICATE')),
        'client-key-data': base64(PEM('PRIVATE KEY')),
        tokenFile: 'token',
      },
    );
    const access = await readKubeconfig(file);
    expect(access).toMatchObject({
      name: 'main',
      authority: PEM('CERTIFICATE'),
      certificate: PEM('CERTIFICATE'),
      key: PEM('PRIVATE KEY'),
      tlsServerName: 'api',
      namespace: 'ci',
      tokenFile: path.join(dir, 'token'),
    });
    expect(access.server.href).toBe('https://10.0.0.1/');
  });

  it('that lacks what was asked for says what it has', async () => {
    const file = await written(CLUSTER, { token: 't' });
    await expect(readKubeconfig(file, 'other')).rejects.toMatchObject({
      code: 'KUBECONFIG_INVALID',
      next: expect.stringContaining('main') as string,
    });
    await expect(readKubeconfig(path.join(dir, 'none'))).rejects.toThrow('no such file');
    const noContext = await written(CLUSTER, { token: 't' }, { 'current-context': '' });
    await expect(readKubeconfig(noContext)).rejects.toMatchObject({ next: 'Name one: --context main.' });
  });

  it.each([
    ['[', 'is not YAML'],
    ['- a', 'is no kubeconfig'],
    ['current-context: x\ncontexts: {}\n', 'has no context "x"'],
    ['__proto__: {current-context: x}\n', 'names no current-context'],
  ])('that is none is refused: %j', async (text, message) => {
    const file = path.join(dir, 'broken');
    await writeFile(file, text);
    await expect(readKubeconfig(file)).rejects.toThrow(message);
  });

  it.each([
    [{ ...CLUSTER, 'insecure-skip-tls-verify': true }, {}, 'insecure-skip-tls-verify'],
    [{ ...CLUSTER, 'proxy-url': 'http://proxy:3128' }, {}, 'proxy-url'],
    [{ ...CLUSTER, server: 'http://k8s.example.com' }, {}, 'without TLS'],
    [CLUSTER, { username: 'a', password: 'b' }, 'user name and password'],
    [CLUSTER, { 'auth-provider': { name: 'gcp' } }, 'auth-provider'],
    [CLUSTER, { token: 't', as: 'root' }, 'impersonates'],
    [CLUSTER, { exec: { command: 'login', interactiveMode: 'Always' } }, 'ask somebody'],
  ])('is refused where it would weaken the connection: %#', async (cluster, user, message) => {
    const failing = readKubeconfig(await written(cluster, user));
    await expect(failing).rejects.toMatchObject({
      code: 'KUBECONFIG_UNSUPPORTED',
      message: expect.stringContaining(message) as string,
      next: expect.any(String) as string,
    });
  });
});

describe('credentials', () => {
  const options = { clock: systemClock, env: {} };

  it('of a token file are read again each time', async () => {
    const token = path.join(dir, 'token');
    const access = await readKubeconfig(await written(CLUSTER, { tokenFile: 'token' }));
    const credentials = new ClusterCredentials(access, options);
    await expect(credentials.current()).rejects.toMatchObject({ code: 'CLUSTER_CREDENTIALS' });
    await writeFile(token, 'one\n');
    expect(await credentials.current()).toMatchObject({ token: 'one' });
    await writeFile(token, 'two\n');
    expect(await credentials.current()).toMatchObject({ token: 'two' });
  });

  it('that are not there are missed with a next step', async () => {
    const access = await readKubeconfig(await written(CLUSTER, {}));
    await expect(new ClusterCredentials(access, options).current()).rejects.toMatchObject({
      code: 'CLUSTER_CREDENTIALS',
      next: expect.stringContaining('token') as string,
    });
  });

  async function plugin(script: string, more: object = {}): Promise<string> {
    await mkdir(path.join(dir, 'bin'));
    const file = path.join(dir, 'bin/login');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './bin/login', ...more };
    return written(CLUSTER, { exec });
  }
  const answer = (status: object) =>
    `echo '${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}'`;

  it('of a plugin are kept until shortly before they end', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const clock: Clock = { ...systemClock, now: () => now };
    const script = [
      `echo "$KUBERNETES_EXEC_INFO $1 $MORE $OURS" >> ${dir}/asked`,
      answer({ token: 'of the plugin', expirationTimestamp: '2026-01-01T01:00:00Z' }),
    ].join('\n');
    const file = await plugin(script, { args: ['--x'], env: [{ name: 'MORE', value: 'm' }] });
    const credentials = new ClusterCredentials(await readKubeconfig(file), { clock, env: { OURS: 'o' } });
    expect(await credentials.current()).toMatchObject({ token: 'of the plugin' });
    now += 58 * 60_000;
    await credentials.current();
    const asked = async () => (await import('node:fs/promises')).readFile(`${dir}/asked`, 'utf8');
    expect((await asked()).trim().split('\n')).toHaveLength(1);
    expect(await asked()).toContain('"kind":"ExecCredential","spec":{"interactive":false}} --x m o');
    now += 60_000;
    await credentials.current();
    credentials.forget();
    await credentials.current();
    expect((await asked()).trim().split('\n')).toHaveLength(3);
  });

  it.each([
    ['echo no >&2; exit 3', 'ended with 3: no'],
    ['echo hello', 'printed no JSON'],
    [`echo '{"kind":"Secret"}'`, 'printed no ExecCredential'],
    [`echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"}'`, 'v1beta1'],
    [answer({}), 'neither a token'],
  ])('of a plugin that fails are missed in its words: %j', async (script, message) => {
    const access = await readKubeconfig(await plugin(script));
    const failing = new ClusterCredentials(access, options).current();
    await expect(failing).rejects.toMatchObject({
      code: 'CLUSTER_CREDENTIALS',
      message: expect.stringContaining(message) as string,
    });
  });

  it('of a plugin that is not installed are missed with its own hint', async () => {
    const exec = { command: 'no-such-login', installHint: 'Get it from example.com.' };
    const access = await readKubeconfig(await written(CLUSTER, { exec }));
    await expect(new ClusterCredentials(access, options).current()).rejects.toMatchObject({
      next: 'Get it from example.com.',
    });
  });
});

describe('in a cluster', () => {
  it('the service account is who we are; elsewhere there is none', async () => {
    expect(await inClusterAccess({}, dir)).toBeUndefined();
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    expect(await inClusterAccess(env, dir)).toBeUndefined();
    await writeFile(path.join(dir, 'token'), 't');
    await writeFile(path.join(dir, 'namespace'), 'builds');
    await writeFile(path.join(dir, 'ca.crt'), PEM('CERTIFICATE'));
    const access = await inClusterAccess(env, dir);
    expect(access).toMatchObject({ namespace: 'builds', authority: PEM('CERTIFICATE') });
    expect(access?.server.href).toBe('https://[fd00::1]:6443/');
  });
});
