import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start } from '@updraft/kit';
import type { RunningProcess } from '@updraft/kit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTestPlatform } from '@updraft/pods/testing';
import { callApi, until } from '../testing/live-cluster.ts';
import type { Json } from '../testing/live-cluster.ts';
import type { Cluster } from '../types.ts';

const PROGRAM = fileURLToPath(new URL('../testing/cluster-program.ts', import.meta.url));
const PODS = '/api/v1/namespaces/shop/pods';
// Each start of the cluster's process takes seconds on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

type Address = Pick<Cluster, 'apiPort' | 'credentials'>;

let id: string;
let dir: string;
let daemon: RunningProcess | undefined;
let cluster: Address;

/** A daemon's cluster in a process, and a mount namespace, of its own, as the command starts one. */
async function begin(): Promise<void> {
  const program = [process.execPath, '--import', 'tsx', PROGRAM, id, dir, String(cluster?.apiPort ?? 0)];
  daemon = await start('unshare', ['--mount', '--propagation', 'slave', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cluster = JSON.parse(await firstLine(daemon)) as Address;
}

async function firstLine({ stdout }: RunningProcess): Promise<string> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) return text;
  }
  throw new Error('the cluster did not start');
}

/** kill -9, of the daemon alone. */
async function kill(): Promise<void> {
  if (daemon) process.kill(daemon.pid, 'SIGKILL');
  await daemon?.exited;
}

beforeEach(async () => {
  id = randomBytes(3).toString('hex');
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-adoption-'));
  await begin();
  await api('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  await until('a service account', async () => (await api('GET', `${ACCOUNTS}/default`)).code === 200);
});
const ACCOUNTS = '/api/v1/namespaces/shop/serviceaccounts';

afterEach(async () => {
  await kill();
  const platform = await openTestPlatform({ id, dir });
  await platform.close();
  expect((await readdir('/sys/class/net')).filter((device) => device.includes(id))).toEqual([]);
  expect((await run('ps', ['-eo', 'args'])).stdout).not.toContain(dir);
  expect((await run('find', ['/sys/fs/cgroup', '-name', `*${id}*`])).stdout).toBe('');
});

const api = (method: string, url: string, body?: object, contentType?: string) =>
  callApi(cluster, { method, url, body, contentType });
const podOf = async (name: string): Promise<Json> => (await api('GET', `${PODS}/${name}`)).body;
const logOf = async (name: string): Promise<string> => (await api('GET', `${PODS}/${name}/log`)).body;

function makePod(name: string, script: string, spec: object = {}, container: object = {}) {
  const one = { name: 'main', image: 'tools:1', command: ['sh', '-c', script], ...container };
  return api('POST', PODS, {
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 2, containers: [one], ...spec },
  });
}
const isRunning = async (name: string) =>
  (await podOf(name)).status?.containerStatuses?.[0]?.state?.running !== undefined;

function ask(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`http://${address}/`, { agent: false, timeout: 2000 }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

async function serve(replicas: number): Promise<string> {
  const readinessProbe = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };
  await api('POST', '/apis/apps/v1/namespaces/shop/deployments', {
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'server:1', readinessProbe }] },
      },
    },
  });
  const { body } = await api('POST', '/api/v1/namespaces/shop/services', {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const url = '/apis/apps/v1/namespaces/shop/deployments/web';
  await until(
    'a deployment',
    async () => (await api('GET', url)).body.status?.availableReplicas === replicas,
  );
  return body.spec.clusterIP as string;
}

test('a Deployment works on through two kills: same processes, same status, no request of its Service lost', async () => {
  const address = await serve(2);
  const before = (await api('GET', PODS)).body.items as Json[];
  const voices = new Set<string>();
  const failures: string[] = [];
  let asked = 0;
  let going = true;
  const client = (async () => {
    while (going) {
      asked += 1;
      await ask(address).then(
        (voice) => voices.add(voice),
        (error: unknown) => failures.push(String(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await until('both replicas answer', () => voices.size === 2);
  for (let round = 0; round < 2; round += 1) {
    await kill();
    await begin();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
  going = false;
  await client;
  expect({ failures, voices: voices.size }).toEqual({ failures: [], voices: 2 });
  expect(asked).toBeGreaterThan(100);
  const after = (await api('GET', PODS)).body.items as Json[];
  expect(after.map(({ status }) => status)).toEqual(before.map(({ status }) => status));
  const name = after[0].metadata.name as string;
  const lines = (await logOf(name)).split('\n');
  expect(lines[0]).toMatch(/^listening /);
  const times = ((await api('GET', `${PODS}/${name}/log?timestamps=true`)).body as string)
    .split('\n')
    .filter(Boolean)
    .map((line) => Date.parse(line.split(' ')[0] ?? ''));
  expect(Date.now() - Math.max(...times)).toBeLessThan(2000);
});

test('what ended while nobody was there is restarted, or not, by its true exit code', async () => {
  await makePod('again', 'echo up; sleep 4; echo down; exit 3');
  await makePod('job', 'sleep 4; echo result; exit 0', { restartPolicy: 'Never' });
  await makePod('failing', 'sleep 4; exit 5', { restartPolicy: 'OnFailure' });
  await Promise.all(['again', 'job', 'failing'].map((name) => until(name, () => isRunning(name))));
  await kill();
  await new Promise((resolve) => setTimeout(resolve, 4500));
  const backAt = Date.now();
  await begin();
  for (const name of ['again', 'failing'])
    await until(name, async () => (await podOf(name)).status.containerStatuses[0].restartCount > 0);
  await until('an end', async () => (await podOf('job')).status.phase === 'Succeeded');
  const [again, failing] = [await podOf('again'), await podOf('failing')].map(
    ({ status }) => status.containerStatuses[0],
  );
  expect(again.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  expect(Date.parse(again.lastState.terminated.finishedAt)).toBeLessThan(backAt);
  expect((await api('GET', `${PODS}/again/log?previous=true`)).body).toBe('up\ndown\n');
  expect(failing.lastState.terminated).toMatchObject({ exitCode: 5 });
  expect(await logOf('job')).toBe('result\n');
});

test('init containers, sidecars and volumes go on where they were', async () => {
  const mounts = {
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'fast', mountPath: '/fast' },
    ],
  };
  const step = (name: string, script: string, more: object = {}) => ({
    name,
    image: 'tools:1',
    command: ['sh', '-c', script],
    ...mounts,
    ...more,
  });
  const spec = {
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'fast', emptyDir: { medium: 'Memory' } },
    ],
    initContainers: [
      step('first', 'echo first >> /data/order'),
      step('beside', 'echo beside >> /data/order; exec sleep 1000', { restartPolicy: 'Always' }),
      step('second', 'echo second >> /data/order; echo kept > /fast/word; sleep 3; echo done >> /data/order'),
    ],
  };
  const script = 'echo main >> /data/order; cat /fast/word >> /data/order; cat /data/order; exec sleep 1000';
  await makePod('steps', script, spec, mounts);
  const inits = async () => (await podOf('steps')).status?.initContainerStatuses ?? [];
  await until('the second step', async () => (await inits())[2]?.state?.running !== undefined);
  await kill();
  await begin();
  await until('the end of the steps', () => isRunning('steps'));
  await until('its words', async () => (await logOf('steps')).includes('kept'));
  expect(await logOf('steps')).toBe('first\nbeside\nsecond\ndone\nmain\nkept\n');
  expect((await inits()).map((one: Json) => one.restartCount)).toEqual([0, 0, 0]);
});

test('a volume in memory is found again, and nothing that a container has put in its place', async () => {
  const volumeMounts = [
    { name: 'data', mountPath: '/data' },
    { name: 'fast', mountPath: '/data/a/fast' },
  ];
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'fast', emptyDir: { medium: 'Memory' } },
  ];
  const swap = 'mv /data/a /data/b && mkdir /data/a && ln -s /proc /data/a/fast';
  await makePod(
    'swapped',
    `echo kept > /data/a/fast/word; ${swap}; echo up; exec sleep 1000`,
    { volumes },
    { volumeMounts },
  );
  await until('swapped', () => isRunning('swapped'));
  await until('it is swapped', async () => (await logOf('swapped')).includes('up'));
  await kill();
  await begin();
  // It stays a file system in memory with the word in it, wherever the container has moved it.
  const { uid } = (await podOf('swapped')).metadata;
  const seen = await run('nsenter', [
    '-t',
    String(daemon?.pid),
    '-m',
    'ls',
    path.join(dir, 'cluster/pods', uid, 'volumes/fast'),
  ]);
  expect(seen).toMatchObject({ code: 0, stdout: 'word\n' });
});

test('a pod that was on its way out goes, with the grace that is left and its last hook', async () => {
  await makePod('leaving', `trap 'sleep 3; exit 0' TERM; echo up; while :; do sleep 0.1; done`, {
    terminationGracePeriodSeconds: 60,
  });
  await makePod('staying', 'exec sleep 1000');
  for (const name of ['leaving', 'staying']) await until(name, () => isRunning(name));
  await api('DELETE', `${PODS}/leaving`);
  await until(
    'its end begins',
    async () => (await podOf('leaving')).metadata?.deletionTimestamp !== undefined,
  );
  await kill();
  await api('GET', PODS).catch(() => undefined);
  await begin();
  await until('it is gone', async () => (await api('GET', `${PODS}/leaving`)).code === 404);
  expect(await isRunning('staying')).toBe(true);
  expect((await podOf('staying')).status.containerStatuses[0].restartCount).toBe(0);
});

test('ephemeral containers go on, and their pod with them; none is started a second time', async () => {
  await makePod('watched', 'exec sleep 1000');
  await until('watched', () => isRunning('watched'));
  const debug = (name: string, script: string) => ({
    name,
    image: 'tools:1',
    targetContainerName: 'main',
    command: ['sh', '-c', script],
  });
  const ephemeralContainers = [
    debug('lasting', 'while :; do echo on; sleep 0.2; done'),
    debug('ended', 'exit 6'),
  ];
  const url = `${PODS}/watched/ephemeralcontainers`;
  await api('PATCH', url, { spec: { ephemeralContainers } }, 'application/strategic-merge-patch+json');
  const statuses = async (): Promise<Json[]> =>
    (await podOf('watched')).status.ephemeralContainerStatuses ?? [];
  const states = async () => (await statuses()).map(({ state }) => state);
  await until('both', async () => (await states()).every(({ waiting }) => waiting === undefined));
  await until('an end', async () => (await states())[1]?.terminated);
  const before = await statuses();
  await kill();
  await begin();
  expect(await statuses()).toEqual(before);
  const logs = async (): Promise<string> => (await api('GET', `${PODS}/watched/log?container=lasting`)).body;
  const printed = (await logs()).length;
  await until('it prints on', async () => (await logs()).length > printed + 10);
  expect(await statuses()).toEqual(before);
  expect((await podOf('watched')).status.containerStatuses[0].restartCount).toBe(0);
});

test('a kill at any moment of the start ends in one running pod', async () => {
  for (let delay = 0; delay < 450; delay += 75) {
    const name = `early-${delay}`;
    void makePod(name, 'echo up; exec sleep 1000').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, delay));
    await kill();
    await begin();
    if ((await api('GET', `${PODS}/${name}`)).code === 404) continue;
    await until(name, () => isRunning(name));
    await until('its word', async () => (await logOf(name)).includes('up'));
    expect(await logOf(name)).toBe('up\n');
    const shims = (await run('ps', ['-eo', 'args'])).stdout
      .split('\n')
      .filter((line) => line.includes('updraft-shim') && line.includes(`/${name}-`));
    expect(shims).toHaveLength(1);
  }
});

test('a crashing container keeps its count, and its pod its place', async () => {
  await makePod('crashing', 'exit 4');
  await until(
    'two ends',
    async () => (await podOf('crashing')).status?.containerStatuses?.[0].restartCount >= 1,
  );
  await kill();
  await begin();
  await until('another', async () => (await podOf('crashing')).status.containerStatuses[0].restartCount >= 2);
  expect((await podOf('crashing')).status.containerStatuses[0].lastState.terminated.exitCode).toBe(4);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
});
