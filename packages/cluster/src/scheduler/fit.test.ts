import { afterEach, beforeEach, expect, test } from 'vitest';
import { conditionOf } from '../controllers/conditions.ts';
import { testContext } from '../testing/control-plane.ts';
import type { Pod, PodSpec } from '../kinds/pod.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { milliOf, podAmounts } from '../kinds/pod-resources.ts';
import { scheduler } from './scheduler.ts';
import { tolerates } from './taints.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [scheduler(context, 'node')]);
  const { objects } = plane.context;
  objects.create('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { team: 'web' } },
    spec: {},
  });
  objects.create('nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node', labels: { disk: 'ssd', rank: '5', 'kubernetes.io/hostname': 'node' } },
    spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'PreferNoSchedule' }] },
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '4' } },
  });
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const stored = (name: string) => objects().get('pods', 'shop', name);
const asks = (cpu: string, memory = '1Mi') => ({
  name: 'c',
  resources: { requests: { cpu, memory } },
});

async function place(name: string, spec: Partial<PodSpec> = {}, labels = {}): Promise<string> {
  objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels },
    spec: { containers: [{ name: 'c' }], ...spec },
  });
  await plane.controllers.idle();
  const pod = stored(name) as Pod;
  return pod.spec.nodeName ?? conditionOf(pod, 'PodScheduled')?.message ?? 'not looked at';
}

const because = (reason: string) => `0/1 nodes are available: 1 ${reason}. preemption: `;

test('requests are counted against what the node has, and room that comes free is used', async () => {
  expect(await place('a', { containers: [asks('1500m', '1Gi')] })).toBe('node');
  expect(await place('b', { containers: [asks('600m', '8Gi')] })).toBe(
    '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
  expect(await place('c', { containers: [asks('600m')] })).toContain('1 Insufficient cpu.');
  expect(await place('d', { containers: [asks('500m')] })).toBe('node');
  objects().modify('pods', 'shop', 'a', (pod) => {
    pod.status = { phase: 'Succeeded' };
  });
  await plane.controllers.idle();
  expect(stored('c')?.spec.nodeName).toBe('node');
  expect(plane.eventTexts().filter((text) => text.startsWith('FailedScheduling'))).not.toEqual([]);
});

test('no more pods than the node takes', async () => {
  for (const name of ['a', 'b', 'c', 'd']) expect(await place(name)).toBe('node');
  expect(await place('e')).toContain(because('Too many pods'));
  plane.context.deletion.delete('pods', 'shop', 'a', { gracePeriodSeconds: 0 });
  await plane.controllers.idle();
  expect(stored('e')?.spec.nodeName).toBe('node');
});

const affinity = (...matchExpressions: { key: string; operator: string; values?: string[] }[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  },
});

test.each<[string, Partial<PodSpec>, boolean]>([
  ['selector', { nodeSelector: { disk: 'ssd' } }, true],
  ['other selector', { nodeSelector: { disk: 'hdd' } }, false],
  ['In', affinity({ key: 'disk', operator: 'In', values: ['hdd', 'ssd'] }), true],
  ['NotIn', affinity({ key: 'disk', operator: 'NotIn', values: ['ssd'] }), false],
  ['Gt', affinity({ key: 'rank', operator: 'Gt', values: ['4'] }), true],
  ['Lt', affinity({ key: 'rank', operator: 'Lt', values: ['4'] }), false],
  ['DoesNotExist', affinity({ key: 'gpu', operator: 'DoesNotExist' }), true],
  ['nothing', affinity(), false],
])('node affinity: %s', async (_name, spec, fits) => {
  const answer = await place('a', spec);
  if (fits) expect(answer).toBe('node');
  else expect(answer).toContain(because("node(s) didn't match Pod's node affinity/selector"));
});

test('taints keep pods off that do not tolerate them', async () => {
  objects().modify('nodes', undefined, 'node', ({ spec }) => {
    spec.taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
  });
  expect(await place('a')).toBe(
    '0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
  const tolerations = [{ key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }];
  expect(await place('b', { tolerations })).toBe('node');
});

test.each([
  [{ operator: 'Exists' }, true],
  [{ key: 'k', operator: 'Exists' }, true],
  [{ key: 'k', value: 'v' }, true],
  [{ key: 'k', value: 'w' }, false],
  [{ key: 'other', operator: 'Exists' }, false],
  [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
  [{}, false],
])('toleration %j: %s', (toleration, expected) => {
  expect(tolerates([toleration], { key: 'k', value: 'v', effect: 'NoSchedule' })).toBe(expected);
});

const near = (app: string, more = {}) => [
  { labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname', ...more },
];

test('pods that will not live together do not, whoever comes first', async () => {
  const alone = {
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near('web') } },
  };
  expect(await place('a', alone, { app: 'web' })).toBe('node');
  expect(await place('b', alone, { app: 'web' })).toContain("didn't match pod anti-affinity rules");
  expect(await place('c', {}, { app: 'web' })).toContain("didn't satisfy existing pods anti-affinity rules");
  expect(await place('d', {}, { app: 'db' })).toBe('node');
});

test('pods that want company wait for it; the first of a group is its own', async () => {
  const toDb = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near('db') } } };
  expect(await place('a', toDb, { app: 'web' })).toContain("didn't match pod affinity rules");
  expect(await place('db-0', toDb, { app: 'db' })).toBe('node');
  await place('other');
  objects().modify('pods', 'shop', 'other', ({ metadata }) => {
    metadata.labels = { touched: 'yes' };
  });
  await plane.controllers.idle();
  expect(stored('a')?.spec.nodeName).toBe('node');
  const elsewhere = {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: near('db', {
          namespaceSelector: { matchLabels: { team: 'data' } },
        }),
      },
    },
  };
  expect(await place('b', elsewhere)).toContain("didn't match pod affinity rules");
});

test('spreading over one node is no obstacle, a missing label is, and so are domains nobody has', async () => {
  const spread = (topologyKey: string, more = {}) => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'DoNotSchedule' as const,
        labelSelector: { matchLabels: { app: 'web' } },
        ...more,
      },
    ],
  });
  const web = { app: 'web' };
  expect(await place('a', spread('kubernetes.io/hostname'), web)).toBe('node');
  expect(await place('b', spread('kubernetes.io/hostname'), web)).toBe('node');
  expect(await place('c', spread('zone'), web)).toContain('(missing required label)');
  expect(await place('d', spread('zone', { whenUnsatisfiable: 'ScheduleAnyway' }), web)).toBe('node');
  expect(await place('e', spread('kubernetes.io/hostname', { minDomains: 2 }), web)).toContain(
    "didn't match pod topology spread constraints.",
  );
});

const port = (hostPort: number, more: object = {}) => ({
  containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...more }] }],
});

test('a port of the host is taken once', async () => {
  expect(await place('a', port(8080))).toBe('node');
  expect(await place('b', port(8080))).toContain("didn't have free ports");
  expect(await place('c', port(8081))).toBe('node');
  expect(await place('d', port(8081, { protocol: 'UDP' }))).toBe('node');
});

test('a port of one address of the host leaves it to the others, not to all', async () => {
  expect(await place('a', port(8082, { hostIP: '10.0.0.1' }))).toBe('node');
  expect(await place('b', port(8082, { hostIP: '10.0.0.2' }))).toBe('node');
  expect(await place('c', port(8082, { hostIP: '10.0.0.1' }))).toContain("didn't have free ports");
  expect(await place('d', port(8082))).toContain("didn't have free ports");
});

test('gates keep a pod where it is, without an event, until the last is gone', async () => {
  expect(await place('a', { schedulingGates: [{ name: 'review' }] })).toBe(
    'Scheduling is blocked due to non-empty scheduling gates',
  );
  expect(conditionOf(stored('a') ?? {}, 'PodScheduled')?.reason).toBe('SchedulingGated');
  expect(plane.eventTexts()).toEqual([]);
  objects().modify('pods', 'shop', 'a', ({ spec }) => {
    spec.schedulingGates = [];
  });
  await plane.controllers.idle();
  expect(stored('a')?.spec.nodeName).toBe('node');
});

test('a more important pod takes the room of the least important ones', async () => {
  await place('low', { containers: [asks('1')], priority: 1 });
  await place('middle', { containers: [asks('1')], priority: 5 });
  expect(
    await place('polite', { containers: [asks('1')], priority: 9, preemptionPolicy: 'Never' }),
  ).toContain('Insufficient cpu');
  await place('high', { containers: [asks('1')], priority: 10 });
  expect(stored('low')?.metadata.deletionTimestamp).toBeDefined();
  expect(stored('middle')?.metadata.deletionTimestamp).toBeUndefined();
  expect(stored('high')?.status?.nominatedNodeName).toBe('node');
  plane.bury();
  await plane.controllers.idle();
  expect(stored('high')?.spec.nodeName).toBe('node');
  expect(stored('polite')?.spec.nodeName).toBeUndefined();
});

test('what was made free for a pod is kept for it', async () => {
  await place('low', { containers: [asks('1')], priority: 1 });
  await place('other', { containers: [asks('1')], priority: 20 });
  await place('high', { containers: [asks('1')], priority: 10 });
  expect(stored('high')?.status?.nominatedNodeName).toBe('node');
  // It comes first in every list, and is there when the room is.
  await place('again', { containers: [asks('1')], priority: 1 });
  await place('a-first', { containers: [asks('1')], priority: 1 });
  plane.bury();
  await plane.controllers.idle();
  expect(stored('high')?.spec.nodeName).toBe('node');
  expect([stored('again'), stored('a-first')].map((pod) => pod?.spec.nodeName)).toEqual([
    undefined,
    undefined,
  ]);
});

test('a pod asks for its containers and sidecars together, or for its hungriest step before', () => {
  const of = (cpu: string, more = {}) => ({ name: 'c', resources: { requests: { cpu } }, ...more });
  const spec = {
    containers: [of('100m'), of('200m')],
    initContainers: [of('50m', { restartPolicy: 'Always' }), of('500m'), of('10m')],
    overhead: { cpu: '1m' },
  };
  expect(podAmounts(spec, 'requests').get('cpu')).toBe(551);
  expect([milliOf('0.1'), milliOf('1Gi'), milliOf(2), milliOf('1u')]).toEqual([
    100, 1_073_741_824_000, 2000, 1,
  ]);
});

test('a heartbeat of the node wakes nobody', () => {
  const context = testContext(new FakeClock());
  const keys = scheduler(context, 'node').keys;
  const node = (memory: string, heartbeat: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: {},
    status: { allocatable: { memory }, conditions: [{ lastHeartbeatTime: heartbeat }] },
  });
  context.objects.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'shop' },
    spec: { containers: [] },
  });
  const event = { type: 'MODIFIED' as const, resource: 'nodes', revision: 1, previous: node('1Gi', 'a') };
  expect(keys({ ...event, object: node('1Gi', 'b') })).toEqual([]);
  expect(keys({ ...event, object: node('2Gi', 'b') })).toEqual(['shop/a']);
  context.objects.store.close();
});
