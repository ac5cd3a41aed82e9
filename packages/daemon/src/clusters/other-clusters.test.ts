import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OtherClusters } from './other-clusters.ts';

let home: string;
let clusters: OtherClusters;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'updraft-clusters-'));
  clusters = new OtherClusters({ id: 'abc123', home, clock: systemClock, logger: silentLogger, env: {} });
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function kubeconfig(user: object): Promise<string> {
  const authority = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
  const cluster = { server: 'https://127.0.0.1:1', 'certificate-authority-data': authority };
  const file = path.join(home, 'config');
  const config = {
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

it('what is kept of a cluster holds no secret; jobs get theirs when they ask', async () => {
  const file = await kubeconfig({ token: 'secret-1' });
  const { ref, variables } = await clusters.target(file, undefined, undefined);
  expect(ref).toEqual({ server: '127.0.0.1:1', kubeconfig: file, context: 'main' });
  expect(JSON.stringify([ref, variables])).not.toContain('secret-1');
  expect(variables.map(({ key }) => key)).toEqual(['CLUSTER_DOMAIN', 'CERTIFICATE_AUTHORITY_DATA']);
  await kubeconfig({ token: 'secret-2' });
  const given = await clusters.variables(ref);
  expect(given.find(({ key }) => key === 'CLUSTER_TOKEN')).toMatchObject({ value: 'secret-2', masked: true });
});

it('a plugin is run with the environment of whoever named the kubeconfig', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: [
      '-c',
      `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$PROFILE"`,
    ],
  };
  const file = await kubeconfig({ exec });
  const { ref } = await clusters.target(file, undefined, { PROFILE: 'staging' });
  const given = await clusters.variables(ref);
  expect(given.find(({ key }) => key === 'CLUSTER_TOKEN')?.value).toBe('staging');
});

it('a cluster that jobs ran in is remembered before anything is made there, as long as it can be reached', async () => {
  const file = await kubeconfig({ token: 't' });
  const { ref } = await clusters.target(file, undefined, undefined);
  const runtime = await clusters.runtime(ref);
  expect(await clusters.runtime(ref)).toBe(runtime);
  expect(clusters.runtimes()).toEqual([runtime]);
  const remembered = async () =>
    JSON.parse(await readFile(path.join(home, 'clusters.json'), 'utf8')) as unknown;
  expect(await remembered()).toEqual([ref]);
  const next = new OtherClusters({ id: 'abc123', home, clock: systemClock, logger: silentLogger, env: {} });
  await next.sweep();
  expect(await remembered()).toEqual([ref]);
  await rm(file);
  const last = new OtherClusters({ id: 'abc123', home, clock: systemClock, logger: silentLogger, env: {} });
  await last.sweep();
  expect(await remembered()).toEqual([]);
  for (const each of [clusters, next, last]) await each.close();
});

it('outside of a cluster there is none of our own', async () => {
  await expect(clusters.ownTarget()).rejects.toMatchObject({ code: 'CLUSTER_CREDENTIALS' });
  expect(await clusters.variables({ server: 'described.by.variables:6443' })).toEqual([]);
});
