import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLiveCluster } from '../../testing/live-cluster.ts';
import type { LiveCluster } from '../../testing/live-cluster.ts';

/** Serves its name, and asks others when it is asked to; tries one connection before anything else and remembers. */
const PROGRAM = `
const net = require('net'), http = require('http');
const dial = (host, port) => new Promise((done) => {
  const socket = net.connect({ host, port: Number(port), timeout: 1500 });
  socket.on('connect', () => { done('connected'); socket.destroy(); });
  socket.on('error', (error) => done(error.code));
  socket.on('timeout', () => { done('timeout'); socket.destroy(); });
});
const first = process.env.FIRST ? dial(...process.env.FIRST.split(':')) : Promise.resolve('');
http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname === '/first') return response.end(await first);
  const to = url.searchParams.get('to');
  response.end(to ? await dial(...to.split(':')) : 'hello');
}).listen(8080);
net.createServer((socket) => socket.end()).listen(9090);
`;

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'app:1': { Cmd: [NODE_IN_CONTAINER, '-e', PROGRAM] } });
  for (const [name, labels] of [
    ['shop', { team: 'a' }],
    ['other', { team: 'b' }],
  ] as const) {
    await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }
  await Promise.all([pod('shop', 'web'), pod('shop', 'db'), pod('other', 'web')]);
});
afterAll(() => live.close());

async function create(url: string, body: object): Promise<void> {
  const { code, body: answer } = await live.api('POST', url, body);
  expect({ code, answer: code === 201 ? '' : answer }).toEqual({ code: 201, answer: '' });
}

const addresses = new Map<string, string>();

async function pod(namespace: string, name: string, env: Record<string, string> = {}): Promise<void> {
  const ports = [
    { name: 'http', containerPort: 8080 },
    { name: 'sql', containerPort: 9090 },
  ];
  const container = {
    name: 'main',
    image: 'app:1',
    ports,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
  };
  await create(`/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { containers: [container], terminationGracePeriodSeconds: 1 },
  });
  await live.until(`${name} is ready`, async () => {
    const { body } = await live.api('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
    const conditions: { type: string; status: string }[] = body.status?.conditions ?? [];
    addresses.set(`${namespace}/${name}`, body.status?.podIP);
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  });
}

/** The host asks a pod what it reaches: the node may always reach its pods. */
async function ask(from: string, path: string): Promise<string> {
  const answer = await fetch(`http://${addresses.get(from)}:8080${path}`);
  return answer.text();
}

const reach = (from: string, to: string, port: number) => ask(from, `/?to=${addresses.get(to)}:${port}`);

const policy = (name: string, spec: object) =>
  create('/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec,
  });

const OPEN = 'connected';
const CLOSED = 'ECONNREFUSED';

test('what nobody selects is open; a policy is no longer announced as without effect', async () => {
  expect(await reach('other/web', 'shop/db', 9090)).toBe(OPEN);
  const { code } = await live.api('POST', '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'wrong' },
    spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/99' } }] }] },
  });
  expect(code).toBe(422);
});

test('policies as the playbooks write them: the database is the application’s alone, names are for all', async () => {
  await policy('database', {
    podSelector: { matchLabels: { app: 'db' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: 'web' } } }],
        ports: [{ protocol: 'TCP', port: 'sql' }],
      },
    ],
  });
  await live.until('others are refused', async () => (await reach('other/web', 'shop/db', 9090)) === CLOSED);
  expect(await reach('shop/web', 'shop/db', 9090)).toBe(OPEN);
  expect(await reach('shop/web', 'shop/db', 8080)).toBe(CLOSED);
  expect(await reach('shop/db', 'shop/web', 8080)).toBe(CLOSED);
  expect(await ask('shop/db', `/?to=${live.platform.network.gateway}:53`)).toBe(OPEN);
  expect(await ask('shop/db', `/?to=${live.platform.network.gateway}:${live.cluster.apiPort}`)).toBe(CLOSED);
  expect(await ask('shop/web', `/?to=${live.platform.network.gateway}:${live.cluster.apiPort}`)).toBe(OPEN);
  const { body } = await live.api('GET', '/api/v1/namespaces/shop/pods/db');
  expect(body.status.containerStatuses[0]).toMatchObject({ ready: true, restartCount: 0 });
});

test('labels of namespaces and pods count at once', async () => {
  await policy('team', {
    podSelector: { matchLabels: { app: 'db' } },
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] }],
  });
  await live.until(
    'the other team may come',
    async () => (await reach('other/web', 'shop/db', 9090)) === OPEN,
  );
  const merge = 'application/merge-patch+json';
  const labels = (team: string) => ({ metadata: { labels: { team } } });
  await live.api('PATCH', '/api/v1/namespaces/other', labels('c'), merge);
  await live.until('it has left', async () => (await reach('other/web', 'shop/db', 9090)) === CLOSED);
});

test('a pod is under its policies before its first program runs', async () => {
  await policy('quarantine', {
    podSelector: { matchLabels: { app: 'late' } },
    policyTypes: ['Ingress', 'Egress'],
  });
  await pod('shop', 'late', { FIRST: `${addresses.get('shop/web')}:8080` });
  expect(await ask('shop/late', '/first')).toBe(CLOSED);
  expect(await reach('shop/web', 'shop/late', 8080)).toBe(CLOSED);
});

test('what a policy closed is open again when it is gone', async () => {
  await live.api('DELETE', '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies');
  await live.until('all is open', async () => (await reach('other/web', 'shop/db', 9090)) === OPEN);
  expect(await reach('shop/db', 'shop/web', 8080)).toBe(OPEN);
});
