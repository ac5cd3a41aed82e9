import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RegistryAccess } from './access.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'updraft-access-'));
});
afterEach(() => rm(home, { recursive: true }));

const access = (env: Record<string, string> = {}, trust?: string) =>
  new RegistryAccess({ home, trust }, { HOME: home, ...env });
const docker = async (config: object) => {
  await mkdir(path.join(home, '.docker'), { recursive: true });
  await writeFile(path.join(home, '.docker/config.json'), JSON.stringify(config));
};
const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

test('what login keeps is found again, for its registry, readable by nobody else', async () => {
  await access().keep('r.example', { username: 'me', password: 'a:b' });
  await access().keep('other.example:5000', { username: 'you', password: 'c' });
  expect((await access().to('r.example')).credentials).toEqual({ username: 'me', password: 'a:b' });
  expect((await access().to('r.example.net')).credentials).toBeUndefined();
  expect((await stat(path.join(home, 'registries.json'))).mode & 0o777).toBe(0o600);
  expect([await access().forget('r.example'), await access().forget('r.example')]).toEqual([true, false]);
  expect((await access().to('r.example')).credentials).toBeUndefined();
  expect((await access().to('other.example:5000')).credentials).toEqual({ username: 'you', password: 'c' });
});

test('given credentials come first, then those of login, then Docker’s', async () => {
  await docker({ auths: { 'https://index.docker.io/v1/': basic('hub:x'), 'r.example': basic('docker:x') } });
  expect((await access().to('docker.io')).credentials?.username).toBe('hub');
  await access().keep('r.example', { username: 'login', password: 'x' });
  expect((await access().to('r.example')).credentials?.username).toBe('login');
  const given = { username: 'given', password: 'x' };
  expect((await access().to('r.example', given)).credentials).toEqual(given);
});

test('a file that is damaged counts as empty and does not stay so', async () => {
  await writeFile(path.join(home, 'registries.json'), '{"auths":');
  expect((await access().to('r.example')).credentials).toBeUndefined();
  await access().keep('r.example', { username: 'me', password: 'x' });
  expect((await access().to('r.example')).credentials?.username).toBe('me');
});

test('credential helpers are said not to be asked', async () => {
  expect(await access().advice('r.example')).toMatch(/^Sign in with: updraft image login r\.example/);
  await docker({ credHelpers: { 'r.example': 'pass' } });
  expect(await access().advice('r.example')).toMatch(/helpers are not asked/);
  expect(await access().advice('other.example')).not.toMatch(/helpers/);
});

test('proxies, certificates, and plain HTTP on this machine', async () => {
  await writeFile(path.join(home, 'ca.pem'), 'certificate');
  const env = { http_proxy: 'small:1', HTTP_PROXY: 'large:1', HTTPS_PROXY: 'tls:1', NO_PROXY: 'inner' };
  expect(await access(env, path.join(home, 'ca.pem')).to('r.example:443')).toEqual({
    insecure: false,
    proxies: { http: 'small:1', https: 'tls:1', no: 'inner' },
    mirrors: [],
    ca: 'certificate',
  });
  for (const registry of ['localhost', 'localhost:5000', '127.0.0.1:5000', '[::1]:5000'])
    expect([registry, (await access().to(registry)).insecure]).toEqual([registry, true]);
});

test('mirrors are those of the registry, in the order of the setting', async () => {
  const mirrors = 'docker.io=m.example/hub, ghcr.io=n.example docker.io=http://127.0.0.1:5001';
  const to = (registry: string) => access({ UPDRAFT_REGISTRY_MIRRORS: mirrors }).to(registry);
  expect((await to('docker.io')).mirrors).toEqual(['m.example/hub', 'http://127.0.0.1:5001']);
  expect((await to('quay.io')).mirrors).toEqual([]);
  await expect(access({ UPDRAFT_REGISTRY_MIRRORS: 'm.example' }).to('docker.io')).rejects.toMatchObject({
    code: 'MIRROR_INVALID',
  });
});
