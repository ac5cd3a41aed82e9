import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { startLiveCluster } from './testing/live-cluster.ts';
import type { Json, LiveCluster } from './testing/live-cluster.ts';

/** Answers with its version, and on SIGTERM finishes what it has begun. */
const SERVER = `
const http = require('node:http');
const server = http.createServer((request, response) => {
  setTimeout(() => response.end(process.env.VERSION + ' ' + require('node:os').hostname()), 5);
});
server.listen(8080, () => console.log('listening ' + process.env.VERSION));
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'app:1': { Cmd: [NODE_IN_CONTAINER, '-e', SERVER] } });
});
afterAll(() => live.close());

const API = '/api/v1/namespaces/shop';
const DEPLOYMENT = '/apis/apps/v1/namespaces/shop/deployments/web';

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        securityContext: { runAsUser: 1000, runAsNonRoot: true },
        containers: [
          {
            name: 'web',
            image: 'app:1',
            env: [{ name: 'VERSION', value: 'one' }],
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/', port: 'http' } },
            resources: { limits: { memory: '256Mi' } },
          },
        ],
      },
    },
  },
};

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
};

const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    rules: [
      {
        host: 'shop.localhost',
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } },
          ],
        },
      },
    ],
  },
};

const available = async () => {
  const { body } = await live.api('GET', DEPLOYMENT);
  const { status, metadata, spec } = body;
  return (
    status?.observedGeneration === metadata.generation &&
    status.updatedReplicas === spec.replicas &&
    status.replicas === spec.replicas &&
    status.availableReplicas === spec.replicas
  );
};

test('a deployment comes up and answers by its host name', async () => {
  expect(
    (
      await live.api('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop' },
      })
    ).code,
  ).toBe(201);
  const startedMs = performance.now();
  expect((await live.api('POST', '/apis/apps/v1/namespaces/shop/deployments', deployment)).code).toBe(201);
  expect((await live.api('POST', `${API}/services`, service)).code).toBe(201);
  expect((await live.api('POST', '/apis/networking.k8s.io/v1/namespaces/shop/ingresses', ingress)).code).toBe(
    201,
  );
  await live.until('three replicas are available', available);
  console.log(`three replicas ready after ${Math.round(performance.now() - startedMs)} ms`);
  const hosts = new Set<string>();
  for (let count = 0; count < 6; count += 1) {
    const { code, text } = await live.get('shop.localhost');
    expect(code).toBe(200);
    expect(text).toMatch(/^one web-/);
    hosts.add(text);
  }
  expect(hosts.size).toBe(3);
  expect((await live.get('other.localhost')).code).toBe(404);
});

test('a rolling update under load loses no request', async () => {
  const codes: string[] = [];
  let rolling = true;
  const clients = Array.from({ length: 4 }, async () => {
    while (rolling) {
      const result = await live
        .get('shop.localhost')
        .catch((error: unknown) => ({ code: 0, text: String(error) }));
      codes.push(result.code === 200 ? result.text.slice(0, 3) : `${result.code} ${result.text}`);
    }
  });
  const patch = {
    spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'VERSION', value: 'two' }] }] } } },
  };
  const { code } = await live.api('PATCH', DEPLOYMENT, patch, 'application/strategic-merge-patch+json');
  expect(code).toBe(200);
  await live.until('the new version is rolled out', available, 40_000);
  rolling = false;
  await Promise.all(clients);
  expect(new Set(codes)).toEqual(new Set(['one', 'two']));
  expect((await live.get('shop.localhost')).text).toMatch(/^two /);
});

test('logs and exec reach the container', async () => {
  const { body } = await live.api('GET', `${API}/pods`);
  const [pod] = (body.items as Json[]).filter(({ metadata }) => !metadata.deletionTimestamp);
  const { body: log } = await live.api('GET', `${API}/pods/${pod.metadata.name}/log`);
  expect(log).toBe('listening two\n');
  expect(pod.status.containerStatuses[0]).toMatchObject({ ready: true, restartCount: 0 });
});

test('after a stop the pods come back', async () => {
  await live.restart();
  await live.until('the replicas are back', available);
  await live.until('it answers again', async () => (await live.get('shop.localhost')).code === 200);
  const { body } = await live.api('GET', `${API}/pods`);
  expect(body.items.map((pod: Json) => pod.status.containerStatuses[0].restartCount)).toEqual([1, 1, 1]);
});

test('deleting the namespace ends the processes', async () => {
  expect(live.platform.runtime.list()).toHaveLength(3);
  expect((await live.api('DELETE', '/api/v1/namespaces/shop')).code).toBe(200);
  await live.until(
    'the namespace is gone',
    async () => (await live.api('GET', '/api/v1/namespaces/shop')).code === 404,
  );
  expect(live.platform.runtime.list()).toEqual([]);
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(live.platform.dir + '/cluster');
  expect((await live.get('shop.localhost')).code).toBe(404);
});
