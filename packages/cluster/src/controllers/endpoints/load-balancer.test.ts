import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { listeningPorts, loadBalancerController } from './load-balancer.ts';
import { createServer } from 'node:net';
import { once } from 'node:events';

let plane: TestPlane;
let taken: Set<number>;
const network = { gateway: '10.0.0.1', podCidr: '10.1.0.0/20', serviceCidr: '10.2.0.0/20' };
beforeEach(() => {
  taken = new Set();
  plane = startPlane((context) => [
    loadBalancerController(context, { network, takenPorts: async () => taken }),
  ]);
});
afterEach(() => plane.stop());

function service(name: string, port: number, more: object = {}): void {
  plane.context.objects.create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { type: 'LoadBalancer', ports: [{ port }], ...more },
  });
}

const addresses = (name: string) =>
  plane.context.objects.get('services', 'shop', name)?.status?.loadBalancer?.ingress?.map(({ ip }) => ip) ??
  [];

test('a load balancer is the host’s loopback', async () => {
  service('web', 8000);
  await plane.controllers.idle();
  expect(addresses('web')).toEqual(['127.0.0.1']);
  expect(plane.eventTexts()).toEqual(['EnsuredLoadBalancer: Reachable at 127.0.0.1']);
  plane.context.objects.modify('services', 'shop', 'web', (stored) => {
    stored.spec.type = 'ClusterIP';
  });
  await plane.controllers.idle();
  expect(addresses('web')).toEqual([]);
});

test('a port that is somebody else’s keeps it waiting until it is free', async () => {
  taken.add(5432);
  service('db', 5432);
  service('one', 8000);
  await plane.controllers.idle();
  service('two', 8000);
  await plane.controllers.idle();
  expect([addresses('db'), addresses('one'), addresses('two')]).toEqual([[], ['127.0.0.1'], []]);
  expect(plane.eventTexts()).toEqual([
    'PortUnavailable: port 5432 of 127.0.0.1 is taken by a program of this machine',
    'EnsuredLoadBalancer: Reachable at 127.0.0.1',
    'PortUnavailable: port 8000 of 127.0.0.1 belongs to Service shop/one',
  ]);
  taken.delete(5432);
  plane.context.objects.store.remove('services', 'shop', 'one');
  await plane.clock.advance(20_000);
  await plane.controllers.idle();
  expect([addresses('db'), addresses('two')]).toEqual([['127.0.0.1'], ['127.0.0.1']]);
});

test('somebody else’s class is somebody else’s business', async () => {
  service('web', 8000, { loadBalancerClass: 'example.org/other' });
  await plane.controllers.idle();
  expect(addresses('web')).toEqual([]);
  expect(plane.eventTexts()).toEqual([]);
});

test('addresses that are refused are said', async () => {
  service('web', 8000, { type: 'ClusterIP', externalIPs: ['10.1.0.5', '192.0.2.1'] });
  await plane.controllers.idle();
  expect(plane.eventTexts()).toEqual([
    'ExternalIPRefused: not served, for they belong to the host or to the cluster: 10.1.0.5',
  ]);
});

test('ports that are listened on are known', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect((await listeningPorts()).has(port)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  expect((await listeningPorts()).has(port)).toBe(false);
});
