import { afterEach, expect, test } from 'vitest';
import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { conditionOf } from '../controllers/conditions.ts';
import type { KubeObject } from '../store/types.ts';
import { startNode } from '../testing/node.ts';
import type { NodeOptions, TestNode } from '../testing/node.ts';

let node: TestNode;
afterEach(() => node.stop());

const begin = async (options?: NodeOptions) => {
  node = await startNode(options);
};
const status = () => node.pod()?.status;
const container = () => status()?.containerStatuses?.[0];
const waitsFor = (reason: string) => node.until(() => container()?.state.waiting?.reason === reason);
const restarts = (count: number) => node.until(() => container()?.restartCount === count);
const asObject = () => node.pod() as unknown as KubeObject;

test('a pod runs: address, conditions and a complete container status', async () => {
  await begin();
  const pod = await node.run({ args: ['--name', '$(NAME)'], env: [{ name: 'NAME', value: 'x' }] });
  expect(pod.status).toMatchObject({
    phase: 'Running',
    podIP: '10.0.0.1',
    hostIP: '10.0.0.1',
    qosClass: 'BestEffort',
  });
  expect(conditionOf(pod, 'Ready')?.status).toBe('True');
  expect(container()).toMatchObject({ ready: true, restartCount: 0, started: true, image: 'web:1' });
  expect(container()?.imageID).toMatch(/^docker\.io\/library\/web@sha256:/);
  expect(node.runtime.started[0]?.spec).toMatchObject({
    command: ['--name', 'x'],
    env: { NAME: 'x', HOSTNAME: 'p' },
    workingDir: '/',
  });
  expect(node.runtime.started[0]?.pod).toMatchObject({
    hostname: 'p',
    dnsSearch: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    dnsOptions: ['ndots:5'],
  });
  expect(node.events()).toEqual(
    expect.arrayContaining(['Started: Started container c', 'Created: Created container: c']),
  );
});

test('deleting it stops the container with its grace, then the object goes', async () => {
  await begin();
  await node.run({});
  node.context.deletion.delete('pods', 'shop', 'p');
  await node.until(() => node.pod() === undefined);
  expect(node.runtime.list()).toEqual([]);
  expect(node.events()).toContain('Killing: Stopping container c');
});

test('crashes: the first restart is immediate, then after 10, 20, 40 s; a long run clears that', async () => {
  await begin({ behave: () => ({ runsMs: 100, code: 3 }) });
  await node.run({});
  await node.pass(100);
  await node.until(() => node.runtime.started.length === 2);
  await node.pass(100);
  await waitsFor('CrashLoopBackOff');
  expect(container()?.restartCount).toBe(1);
  expect(container()?.state.waiting?.message).toMatch(
    /^back-off 10s restarting failed container=c pod=p_shop\(/,
  );
  expect(container()?.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  expect(status()?.phase).toBe('Running');
  await node.pass(10_000);
  await node.until(() => node.runtime.started.length === 3);
  await node.pass(100);
  await waitsFor('CrashLoopBackOff');
  expect(container()?.state.waiting?.message).toContain('back-off 20s');
  await node.pass(19_000);
  expect(container()?.restartCount).toBe(2);
  await node.pass(1000);
  await restarts(3);
});

test.each([
  ['Never', 0, 'Succeeded'],
  ['Never', 2, 'Failed'],
  ['OnFailure', 0, 'Succeeded'],
] as const)('restart policy %s with exit code %i ends %s', async (restartPolicy, code, phase) => {
  await begin({ behave: () => ({ code }) });
  await node.run({}, { restartPolicy });
  await node.until(() => status()?.phase === phase && node.runtime.list().length === 0);
  expect(conditionOf(node.pod() ?? {}, 'Ready')?.status).toBe('False');
});

test('an image that nobody has: ErrImagePull, ImagePullBackOff, and on it goes when it appears', async () => {
  await begin({ images: {} });
  await node.run({ image: 'missing:1' });
  await waitsFor('ErrImagePull');
  await node.pass(1500);
  await waitsFor('ImagePullBackOff');
  expect(status()?.phase).toBe('Pending');
  await node.pass(10_000);
  expect(node.pulls).toHaveLength(2);
  await node.pass(10_000);
  expect(node.pulls).toHaveLength(2);
  expect(node.events()).toContain('Failed: Error: ImagePullBackOff');
});

test.each([
  [{ image: 'web:9', imagePullPolicy: 'Never' as const }, 'ErrImageNeverPull'],
  [{ image: 'NOT A NAME' }, 'InvalidImageName'],
])('%j waits as %s and pulls nothing', async (given, reason) => {
  await begin();
  await node.run(given);
  await waitsFor(reason);
  expect(node.pulls).toEqual([]);
});

test('pull secrets reach the registry', async () => {
  await begin({ images: {}, remote: { 'r.example/web:1': {} } });
  const config = { auths: { 'https://r.example': { auth: Buffer.from('joe:se:cret').toString('base64') } } };
  node.context.objects.create('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pull', namespace: 'shop' },
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  });
  await node.run({ image: 'r.example/web:1' }, { imagePullSecrets: [{ name: 'pull' }] });
  expect(node.credentials).toEqual([{ 'r.example': { username: 'joe', password: 'se:cret' } }]);
  expect(status()?.phase).toBe('Running');
});

test('a missing Secret holds the container until it is there', async () => {
  await begin();
  const secretKeyRef = { name: 's', key: 'k' };
  await node.run({ env: [{ name: 'K', valueFrom: { secretKeyRef } }] });
  await waitsFor('CreateContainerConfigError');
  expect(container()?.state.waiting?.message).toBe('secret "s" not found');
  node.context.objects.create('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'shop' },
    data: { k: Buffer.from('v').toString('base64') },
  });
  await node.pass(3000);
  await node.until(() => node.runtime.started.length > 0);
  expect(node.runtime.started[0]?.spec.env).toMatchObject({ K: 'v' });
});

test.each([
  ['', {}, /image will run as root/],
  ['node', {}, /image has non-numeric user \(node\), cannot verify user is non-root/],
  ['1000', { runAsUser: 0 }, /runAsUser breaks non-root policy/],
])('runAsNonRoot with image user "%s" and %j is refused', async (User, own, message) => {
  await begin({ images: { 'web:1': { User } } });
  await node.run({ securityContext: { runAsNonRoot: true, ...own } });
  await waitsFor('CreateContainerConfigError');
  expect(container()?.state.waiting?.message).toMatch(message);
  expect(node.runtime.started).toEqual([]);
});

test('security and limits reach the runtime', async () => {
  await begin();
  await node.run(
    {
      resources: { limits: { cpu: '250m', memory: '64Mi' } },
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      },
    },
    { securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 } },
  );
  expect(node.runtime.started[0]?.spec).toMatchObject({
    rootFs: { readOnly: true },
    resources: { cpuMillis: 250, memoryBytes: 64 * 1024 * 1024 },
    security: {
      user: '1000:2000',
      supplementalGroups: [3000],
      addCapabilities: ['NET_BIND_SERVICE'],
      dropCapabilities: ['ALL'],
      allowPrivilegeEscalation: false,
    },
  });
});

test('init containers run one by one, a sidecar beside the rest', async () => {
  await begin({
    behave: ({ name }: { name: string }) => (name.startsWith('init') ? { runsMs: 100 } : { runsMs: 'never' }),
  });
  await node.run(
    {},
    {
      initContainers: [
        { name: 'init-a', image: 'web:1' },
        { name: 'side', image: 'web:1', restartPolicy: 'Always' },
        { name: 'init-b', image: 'web:1' },
      ],
    },
  );
  expect(node.runtime.started.map(({ spec }) => spec.name)).toEqual(['init-a']);
  expect(status()?.phase).toBe('Pending');
  const isRunning = (name: string) =>
    status()?.initContainerStatuses?.some((one) => one.name === name && one.state.running) === true;
  await node.until(() => isRunning('init-a'));
  await node.pass(120);
  await node.until(() => node.runtime.started.length === 3 && isRunning('init-b'));
  await node.pass(120);
  await node.until(() => node.runtime.started.length === 4);
  expect(node.runtime.started.map(({ spec }) => spec.name)).toEqual(['init-a', 'side', 'init-b', 'c']);
  await node.until(() => status()?.phase === 'Running');
  expect(conditionOf(node.pod() ?? {}, 'Initialized')?.status).toBe('True');
});

test('readiness follows the probe, and failing liveness restarts the container', async () => {
  let healthy = false;
  await begin({ exec: () => ({ code: healthy ? 0 : 1 }) });
  const exec = { command: ['check'] };
  await node.run({
    readinessProbe: { exec },
    livenessProbe: { exec, failureThreshold: 2, initialDelaySeconds: 30 },
  });
  expect(container()?.ready).toBe(false);
  healthy = true;
  await node.pass(10_000);
  expect(container()?.ready).toBe(true);
  healthy = false;
  await node.pass(30_000);
  expect(container()?.ready).toBe(false);
  await node.pass(15_000);
  await node.until(() => (container()?.restartCount ?? 0) > 0);
  expect(node.events()).toContain('Killing: Container c failed liveness probe, will be restarted');
});

test('a slow start is waited for by the startup probe before the others begin', async () => {
  let up = false;
  await begin({ exec: () => ({ code: up ? 0 : 1 }) });
  const exec = { command: ['check'] };
  await node.run({
    startupProbe: { exec, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { exec, failureThreshold: 1 },
  });
  await node.pass(20_000);
  expect(container()).toMatchObject({ started: false, ready: false, restartCount: 0 });
  up = true;
  await node.pass(1100);
  expect(container()).toMatchObject({ started: true, ready: true, restartCount: 0 });
});

test('volumes: ConfigMap files swap live, emptyDir is writable, hostPath is refused', async () => {
  await begin();
  node.context.objects.create('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'shop' },
    data: { 'a.txt': 'one', 'b.txt': 'other' },
  });
  const pod = await node.run(
    {
      volumeMounts: [
        { name: 'conf', mountPath: '/etc/conf' },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    },
    {
      volumes: [
        { name: 'conf', configMap: { name: 'conf', items: [{ key: 'a.txt', path: 'x/a.txt' }] } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  );
  const folder = path.join(node.dir, 'pods', pod.metadata.uid, 'volumes', 'conf');
  expect(await readFile(path.join(folder, 'x/a.txt'), 'utf8')).toBe('one');
  const before = await readlink(path.join(folder, '..data'));
  node.context.objects.modify('configmaps', 'shop', 'conf', (map) => {
    map.data = { 'a.txt': 'two' };
  });
  await expect.poll(() => readFile(path.join(folder, 'x/a.txt'), 'utf8')).toBe('two');
  expect(await readlink(path.join(folder, '..data'))).not.toBe(before);
  expect(node.runtime.started[0]?.spec.mounts).toContainEqual({
    kind: 'bind',
    source: folder,
    target: '/etc/conf',
    readOnly: true,
  });
});

test('volumes that show labels and annotations follow them', async () => {
  await begin();
  const file = (name: string) => ({ path: name, fieldRef: { fieldPath: `metadata.${name}` } });
  const pod = await node.run(
    {},
    {
      volumes: [
        { name: 'own', downwardAPI: { items: [file('labels')] } },
        { name: 'all', projected: { sources: [{ downwardAPI: { items: [file('annotations')] } }] } },
      ],
    },
  );
  const read = (name: string) =>
    readFile(path.join(node.dir, 'pods', pod.metadata.uid, 'volumes', name), 'utf8');
  const { namespace, name } = pod.metadata;
  for (const value of ['one', 'two']) {
    node.context.objects.modify('pods', namespace, name, ({ metadata }) => {
      metadata.labels = { l: value };
      metadata.annotations = { a: value };
    });
  }
  await expect.poll(() => read('own/labels')).toBe('l="two"');
  await expect.poll(() => read('all/annotations')).toBe('a="two"');
});

test('a hostPath volume is refused with an event', async () => {
  await begin();
  await node.run({}, { volumes: [{ name: 'h', hostPath: { path: '/' } }] });
  expect(node.runtime.started).toEqual([]);
  expect(node.events().join()).toContain(
    'FailedMount: MountVolume.SetUp failed for volume "h" : hostPath is not allowed on this cluster; whoever',
  );
});

test('logs: tail, times, and the instance before', async () => {
  let run = 0;
  await begin({
    behave: () => {
      run += 1;
      return { stdout: `run ${run} a\nrun ${run} b\n`, runsMs: run === 1 ? 10 : 'never', code: 1 };
    },
  });
  await node.run({});
  await node.pass(20);
  await node.until(() => container()?.restartCount === 1 && container()?.ready === true);
  const options = { container: 'c', follow: false, previous: false, timestamps: false };
  const read = async (more: object) => text(await node.kubelet.logs(asObject(), { ...options, ...more }));
  expect(await read({})).toBe('run 2 a\nrun 2 b\n');
  expect(await read({ previous: true })).toBe('run 1 a\nrun 1 b\n');
  expect(await read({ tailLines: 1, timestamps: true })).toMatch(/^2026-01-01T00:00:00\.\d{9}Z run 2 b\n$/);
  const followed = text(await node.kubelet.logs(asObject(), { ...options, follow: true }));
  node.context.deletion.delete('pods', 'shop', 'p');
  await node.pass(10);
  expect(await followed).toBe('run 2 a\nrun 2 b\n');
});

test('after a crash of the daemon pods are started anew, and what may not restart has failed', async () => {
  await begin();
  await node.run({});
  await node.crash();
  await node.until(() => container()?.ready === true);
  expect(container()).toMatchObject({ restartCount: 1, ready: true });
  expect(container()?.lastState.terminated?.exitCode).toBe(137);
  expect(status()?.phase).toBe('Running');
});

test('after a crash a pod that must not be restarted has failed', async () => {
  await begin();
  await node.run({}, { restartPolicy: 'Never' });
  await node.crash();
  await node.until(() => status()?.phase === 'Failed');
  expect(container()?.state.terminated?.exitCode).toBe(137);
});

test('exec runs in the container, and is refused when it does not run', async () => {
  await begin({ exec: () => ({ stdout: 'hello', code: 7 }) });
  await node.run({});
  let output = '';
  const onStdout = (chunk: Buffer) => {
    output += chunk.toString();
  };
  const options = { container: 'c', command: ['x'], terminal: false, onStdout, onStderr: onStdout };
  const process = await node.kubelet.exec(asObject(), options);
  expect(await process.exited).toMatchObject({ code: 7 });
  expect(output).toBe('hello');
  await expect(node.kubelet.exec(asObject(), { ...options, container: 'other' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('what is ignored is said', async () => {
  await begin();
  await node.run({ ports: [{ containerPort: 80, hostPort: 80 }] }, { runtimeClassName: 'fast' });
  expect(node.events()).toContain(
    'Unsupported: this cluster does not support, and ignores: runtimeClassName, ports.hostPort',
  );
});

test('a pod that somebody has called failed stays so, and its containers end', async () => {
  await begin();
  const pod = await node.run({});
  node.context.objects.modify('pods', 'shop', pod.metadata.name, (stored) => {
    stored.status = { ...stored.status, phase: 'Failed', reason: 'Because' };
  });
  await node.until(() => container()?.state.terminated !== undefined);
  expect(status()).toMatchObject({ phase: 'Failed', reason: 'Because' });
  await node.until(() => node.runtime.list().length === 0);
});

test('a deadline that comes nearer ends the pod', async () => {
  await begin();
  const pod = await node.run({}, { activeDeadlineSeconds: 1000 });
  node.context.objects.modify('pods', 'shop', pod.metadata.name, ({ spec }) => {
    spec.activeDeadlineSeconds = 5;
  });
  await node.pass(4000);
  expect(status()?.phase).toBe('Running');
  await node.pass(1500);
  await node.until(() => status()?.phase === 'Failed');
  expect(status()?.reason).toBe('DeadlineExceeded');
});

test('a pod that names the node itself is refused where its port is taken, or the room', async () => {
  await begin();
  const { objects } = node.context;
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  await node.run({ ports });
  const add = (name: string, container: object, spec: object = {}) =>
    objects.create('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop' },
      spec: { nodeName: 'node', containers: [{ name: 'c', image: 'web:1', ...container }], ...spec },
    });
  const { nodeName } = node.pod()?.spec ?? {};
  objects.create('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName ?? '' },
    spec: {},
    status: { allocatable: { cpu: '1', memory: '1Gi', pods: '3' } },
  });
  add('second', { ports }, { nodeName });
  add('large', { resources: { requests: { cpu: '2' } } }, { nodeName });
  add('elsewhere', {}, { nodeName, nodeSelector: { disk: 'ssd' } });
  add('fits', {}, { nodeName });
  await node.until(() => node.pod('fits')?.status?.phase === 'Running');
  const outcome = (name: string) => {
    const { phase, reason, message } = node.pod(name)?.status ?? {};
    return [phase, reason, message];
  };
  expect(outcome('second')).toEqual(['Failed', 'NodePorts', 'Pod was rejected: Predicate NodePorts failed']);
  expect(outcome('large').slice(0, 2)).toEqual(['Failed', 'OutOfcpu']);
  expect(outcome('elsewhere').slice(0, 2)).toEqual(['Failed', 'NodeAffinity']);
});
