import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createCredentials, kubeconfigYaml } from './credentials.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-pki-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('credentials', () => {
  it('are made once, readable by their owner only, and valid for the hosts', async () => {
    const first = await createCredentials(dir, { clock: systemClock, hosts: ['10.1.2.3', 'api.localhost'] });
    const server = new X509Certificate(first.server.certificate);
    expect(server.checkHost('kubernetes.default.svc')).toBeDefined();
    expect(server.checkHost('api.localhost')).toBeDefined();
    expect(server.checkIP('10.1.2.3')).toBeDefined();
    expect(server.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
    for (const file of await readdir(dir))
      expect((await stat(path.join(dir, file))).mode & 0o777).toBe(0o600);
    expect(await createCredentials(dir, { clock: systemClock, hosts: ['10.1.2.3'] })).toEqual(first);
  });

  it('renews what ends or lacks a host; a client that is still valid goes on', async () => {
    const first = await createCredentials(dir, { clock: systemClock });
    const wider = await createCredentials(dir, { clock: systemClock, hosts: ['10.9.9.9'] });
    expect(wider.client).toEqual(first.client);
    expect(wider.server).not.toEqual(first.server);
    const later = { ...systemClock, now: () => systemClock.now() + 6 * 365 * 24 * 3600 * 1000 };
    const renewed = await createCredentials(dir, { clock: later });
    expect([renewed.ca === first.ca, renewed.client.key === first.client.key]).toEqual([true, false]);
  });

  it('make a kubeconfig', async () => {
    const credentials = await createCredentials(dir, { clock: systemClock });
    const config = parse(kubeconfigYaml(credentials, 'https://127.0.0.1:6443')) as {
      clusters: { cluster: Record<string, string> }[];
    };
    expect(config.clusters[0]?.cluster['server']).toBe('https://127.0.0.1:6443');
    const ca = Buffer.from(
      config.clusters[0]?.cluster['certificate-authority-data'] ?? '',
      'base64',
    ).toString();
    expect(ca).toBe(credentials.ca);
  });
});
