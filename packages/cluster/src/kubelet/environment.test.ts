import { afterEach, beforeEach, expect, test } from 'vitest';
import { startNode } from '../testing/node.ts';
import type { TestNode } from '../testing/node.ts';

let node: TestNode;
beforeEach(async () => {
  node = await startNode();
});
afterEach(() => node.stop());

test('Services are told by their own variables and by those of linked containers', async () => {
  node.context.objects.create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'my-db', namespace: 'shop' },
    spec: {
      clusterIP: '10.96.0.9',
      ports: [
        { name: 'sql-port', port: 5432 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
  });
  await node.run({});
  expect(node.runtime.started[0]?.spec.env).toMatchObject({
    MY_DB_SERVICE_HOST: '10.96.0.9',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_SQL_PORT: '5432',
    MY_DB_SERVICE_PORT_DNS: '53',
    MY_DB_PORT: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.96.0.9',
    MY_DB_PORT_53_UDP: 'udp://10.96.0.9:53',
  });
});

test('limits that are not set are what the node has; requests are nothing', async () => {
  const reference = (resource: string, divisor: string) => ({ resourceFieldRef: { resource, divisor } });
  await node.run({
    env: [
      { name: 'CPU', valueFrom: reference('limits.cpu', '1') },
      { name: 'MEMORY', valueFrom: reference('limits.memory', '1Mi') },
      { name: 'ASKED', valueFrom: reference('requests.cpu', '1') },
    ],
  });
  const { CPU, MEMORY, ASKED } = node.runtime.started[0]?.spec.env ?? {};
  expect(Number(CPU)).toBeGreaterThanOrEqual(1);
  expect(Number(MEMORY)).toBeGreaterThanOrEqual(64);
  expect(ASKED).toBe('0');
});
