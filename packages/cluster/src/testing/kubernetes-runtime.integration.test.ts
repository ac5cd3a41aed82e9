import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { createKubernetesRuntime, readKubeconfig } from '@updraft/pods';
import type { ContainerSpec, KubernetesRuntimeOptions, PodPlan } from '@updraft/pods';
import { NODE_IN_CONTAINER, recorder, testRuntime } from '@updraft/pods/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLiveCluster } from './live-cluster.ts';
import type { LiveCluster } from './live-cluster.ts';

const IMAGE = 'registry.test/tools:1';

const container = (command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  rootFs: { layers: [] },
  image: { name: IMAGE },
  env: {},
  workingDir: '/',
  command,
  ...more,
});

async function runtimeOf(live: LiveCluster, more: Partial<KubernetesRuntimeOptions> = {}) {
  const file = path.join(live.platform.dir, 'kubeconfig');
  await writeFile(file, live.cluster.kubeconfig('127.0.0.1'), { mode: 0o600 });
  return createKubernetesRuntime({
    id: randomBytes(3).toString('hex'),
    access: await readKubeconfig(file),
    clock: systemClock,
    logger: silentLogger,
    env: {},
    helperImage: IMAGE,
    ...more,
  });
}

testRuntime({
  name: 'kubernetes',
  create: async () => {
    const live = await startLiveCluster({ [IMAGE]: { Env: ['PATH=/usr/bin:/bin'] } });
    const runtime = await runtimeOf(live);
    return {
      runtime,
      container,
      close: async () => {
        runtime.close();
        await live.close();
      },
    };
  },
  skip: {
    accounts: 'Kubernetes knows users by numbers',
    noNetwork: 'a cluster’s policies decide what a pod reaches',
    overlay: 'its pods share no files with this host',
    processCount: 'its nodes limit processes, pods cannot',
    processTree: 'processes of a pod share its container',
  },
});

describe('pods of a cluster', () => {
  let live: LiveCluster;
  let runtime: Awaited<ReturnType<typeof runtimeOf>>;
  let folder: string;
  const plan: PodPlan = { main: { image: { name: IMAGE }, env: {} }, beside: [], folders: ['/builds'] };
  const objects = async (kind: string) =>
    (await live.api('GET', `/api/v1/namespaces/default/${kind}`)).body.items;

  beforeAll(async () => {
    live = await startLiveCluster({ [IMAGE]: { Env: ['PATH=/usr/bin:/bin'] } });
    runtime = await runtimeOf(live);
    folder = await mkdtemp(path.join(tmpdir(), 'updraft-files-'));
  });
  afterAll(async () => {
    runtime?.close();
    await live?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('get files and give them back, and leave nothing', async () => {
    const pod = await runtime.createPod({ name: 'files', hostname: 'files', plan });
    const source = path.join(folder, 'in');
    await mkdir(path.join(source, 'deep'), { recursive: true });
    await writeFile(path.join(source, 'deep/big'), Buffer.alloc(3_000_000, 'x'));
    await writeFile(path.join(source, 'program'), '#!/bin/sh\necho runs\n', { mode: 0o755 });
    await symlink('deep/big', path.join(source, 'link'));
    await pod.files?.put(source, '/builds/group/project');
    const output = recorder();
    const script =
      './program; wc -c <link; mkdir out; echo made >out/a; ln -s /etc/passwd out/b; chmod u+s program';
    const security = { user: '1234' };
    const started = await pod.start(
      container(['sh', '-c', script], { workingDir: '/builds/group/project' }),
      output,
    );
    expect(await started.exited).toMatchObject({ code: 0 });
    expect(output.stdout).toBe('runs\n3000000\n');
    await expect(pod.start(container(['true'], { security }), recorder())).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const back = path.join(folder, 'out');
    await pod.files?.get('/builds/group/project', ['out', 'program', 'deep/big', 'not there'], back);
    expect((await readdir(back)).toSorted()).toEqual(['deep', 'out', 'program']);
    expect(await readFile(path.join(back, 'out/a'), 'utf8')).toBe('made\n');
    expect((await stat(path.join(back, 'deep/big'))).size).toBe(3_000_000);
    expect((await stat(path.join(back, 'program'))).mode & 0o4000).toBe(0);
    await pod.files?.get('/builds/group/project', ['nothing'], path.join(folder, 'none'));
    await pod.remove();
    expect(await objects('pods')).toEqual([]);
  });

  it('start what runs beside with its secrets, and tell when it is ready and how it ended', async () => {
    const listen = `require('net').createServer(s=>s.end()).listen(7000,()=>console.log('ready '+process.env.SECRET));setTimeout(()=>process.exit(5),6000)`;
    const service = {
      ...container([], { name: 'service-0', env: { SECRET: 'geheim' }, workingDir: '' }),
      image: { name: IMAGE, entrypoint: [NODE_IN_CONTAINER, '-e', listen] },
      readyPort: 7000,
    };
    const pod = await runtime.createPod({
      name: 'beside',
      hostname: 'beside',
      plan: { ...plan, beside: [service] },
    });
    const output = recorder();
    const beside = await pod.start(service, output);
    await expect.poll(() => beside.isReady?.(), { timeout: 10_000 }).toBe(true);
    await expect.poll(() => output.stdout).toBe('ready geheim\n');
    expect(JSON.stringify(await objects('pods'))).not.toContain('geheim');
    expect(await beside.exited).toMatchObject({ kind: 'exited', code: 5 });
    await pod.remove();
    const left = (await objects('secrets')).filter((secret: { type: string }) => secret.type === 'Opaque');
    expect(left).toEqual([]);
  });

  it('say why they have not started, and leave nothing then', async () => {
    const lines: string[] = [];
    const missing = { ...plan, main: { image: { name: 'registry.test/none:1' }, env: {} } };
    const failing = runtime.createPod(
      { name: 'missing', hostname: 'missing', plan: missing },
      { onProgress: (line) => void lines.push(line) },
    );
    await expect(failing).rejects.toMatchObject({
      code: 'POD_NOT_STARTED',
      message: expect.stringMatching(/ImagePullBackOff.*registry\.test\/none:1/) as string,
      next: expect.stringContaining('registry') as string,
    });
    expect(lines.join()).toContain('main');
    expect(runtime.list()).toEqual([]);
    expect(await objects('pods')).toEqual([]);
  });

  it('give up when they are told to', async () => {
    const never = { ...plan, main: { image: { name: IMAGE }, env: {}, resources: { cpuMillis: 1e9 } } };
    const signal = AbortSignal.timeout(1500);
    const failing = runtime.createPod({ name: 'never', hostname: 'never', plan: never }, { signal });
    await expect(failing).rejects.toThrow();
    expect(await objects('pods')).toEqual([]);
  });

  it('are removed even while they are being made', async () => {
    const making = runtime.createPod({ name: 'early', hostname: 'early', plan });
    const outcome = making.then(
      () => 'made',
      () => 'given up',
    );
    await Promise.all(runtime.list().map((pod) => pod.remove()));
    expect(await outcome).toBe('given up');
    expect(runtime.list()).toEqual([]);
    await expect.poll(() => objects('pods')).toEqual([]);
  });

  it('end as lost when the cluster takes them away', async () => {
    const pod = await runtime.createPod({ name: 'taken', hostname: 'taken', plan });
    const started = await pod.start(container(['sleep', '60']), recorder());
    const [object] = await objects('pods');
    await live.api('DELETE', `/api/v1/namespaces/default/pods/${object.metadata.name}?gracePeriodSeconds=0`);
    expect(await started.exited).toMatchObject({
      kind: 'couldNotStart',
      message: expect.stringMatching(/removed|deleted/) as string,
    });
    await pod.remove();
  });

  it('of a dead process are swept, those of others stay', async () => {
    const id = randomBytes(3).toString('hex');
    const [dead, other] = [await runtimeOf(live, { id }), await runtimeOf(live)];
    await dead.createPod({ name: 'one', hostname: 'one', plan: { ...plan, registryConfig: '{"auths":{}}' } });
    const kept = await other.createPod({ name: 'two', hostname: 'two', plan });
    const next = await runtimeOf(live, { id });
    const mine = await next.createPod({ name: 'three', hostname: 'three', plan });
    expect(await next.sweep()).toEqual({ removed: ['one'] });
    await expect.poll(async () => (await objects('pods')).length).toBe(2);
    const secrets = (await objects('secrets')).map(
      ({ metadata }: { metadata: { name: string } }) => metadata.name,
    );
    expect(secrets.filter((name: string) => name.startsWith(`ud-${id}`))).toEqual([]);
    await Promise.all([kept.remove(), mine.remove()]);
    for (const each of [dead, other, next]) each.close();
  });

  it('are refused in the words of a cluster that does not let us in', async () => {
    const file = path.join(live.platform.dir, 'kubeconfig');
    const access = {
      ...(await readKubeconfig(file)),
      certificate: undefined,
      key: undefined,
      token: 'nobody',
    };
    const options = { clock: systemClock, logger: silentLogger, env: {}, helperImage: IMAGE, id: 'x' };
    const refused = createKubernetesRuntime({ ...options, access });
    await expect(refused.createPod({ name: 'p', hostname: 'p', plan })).rejects.toMatchObject({
      code: 'CLUSTER_REFUSED',
      next: expect.stringContaining('sign in again') as string,
    });
    const gone = createKubernetesRuntime({
      ...options,
      access: { ...access, server: new URL('https://127.0.0.1:1') },
    });
    await expect(gone.createPod({ name: 'p', hostname: 'p', plan })).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
    });
  });
});
