import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Service } from '../../kinds/network.ts';
import type { Pod } from '../../kinds/pod.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { endpointsController } from './endpoints.ts';
import { forwardsOf } from './service-forwards.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [endpointsController(context)]);
});
afterEach(() => plane.stop());

const ranges = { gateway: '10.0.0.1', podCidr: '10.1.0.0/20', serviceCidr: '10.2.0.0/20' };

const objects = () => plane.context.objects;
const slices = () => objects().list('endpointslices.discovery.k8s.io', 'shop');
const forwards = () => forwardsOf(objects(), ranges);

function pod(name: string, containerPort = 8080): Pod {
  return objects().create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'a', ports: [{ name: 'http', containerPort }] }] },
  });
}

function service(spec: Partial<Service['spec']> = {}): Service {
  return objects().create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      clusterIP: '10.2.0.9',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 'http' }],
      ...spec,
    },
  });
}

test('only ready pods get connections; named ports are looked up in each pod', async () => {
  service();
  plane.ready(pod('a'));
  plane.ready(pod('b', 9090));
  plane.ready(pod('c'), false);
  await plane.controllers.idle();
  expect(slices()).toHaveLength(2);
  expect(forwards()).toMatchObject([{ address: '10.2.0.9', port: 80, protocol: 'tcp' }]);
  expect(
    forwards()[0]
      ?.targets.map(({ port }) => port)
      .toSorted(),
  ).toEqual([8080, 9090]);
  expect(objects().get('endpoints', 'shop', 'web')?.subsets?.[0]?.notReadyAddresses).toHaveLength(1);
});

test('a pod on its way out is taken off at once, but the last one serves on', async () => {
  service();
  const [first, second] = [pod('a'), pod('b')];
  plane.ready(first);
  plane.ready(second);
  await plane.controllers.idle();
  plane.context.deletion.delete('pods', 'shop', 'a');
  await plane.controllers.idle();
  const endpoints = slices()[0]?.endpoints ?? [];
  expect(endpoints.find(({ targetRef }) => targetRef?.name === 'a')?.conditions).toEqual({
    ready: false,
    serving: true,
    terminating: true,
  });
  expect(forwards()[0]?.targets).toHaveLength(1);
  plane.context.deletion.delete('pods', 'shop', 'b');
  await plane.controllers.idle();
  expect(forwards()[0]?.targets).toHaveLength(2);
  plane.bury();
  await plane.controllers.idle();
  expect(forwards()[0]?.targets).toEqual([]);
});

test('a Service that goes takes its slices and Endpoints along', async () => {
  service();
  plane.ready(pod('a'));
  await plane.controllers.idle();
  objects().store.remove('services', 'shop', 'web');
  await plane.controllers.idle();
  expect(slices()).toEqual([]);
  expect(objects().list('endpoints')).toEqual([]);
});

test('a Service without selector keeps the endpoints somebody else gave it', async () => {
  service({ selector: {} });
  objects().create('endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'shop' },
  });
  await plane.controllers.idle();
  expect(objects().list('endpoints')).toHaveLength(1);
});

test('Endpoints that somebody made for a Service without selector are where it leads', async () => {
  service({ selector: {}, ports: [{ name: 'sql', port: 5432 }] });
  const ports = [{ name: 'sql', port: 15432, protocol: 'TCP' }];
  objects().create('endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'shop' },
    subsets: [{ addresses: [{ ip: '192.0.2.5' }], notReadyAddresses: [{ ip: '192.0.2.6' }], ports }],
  });
  await plane.controllers.idle();
  expect(forwards()[0]?.targets).toEqual([{ address: '192.0.2.5', port: 15432 }]);
  objects().store.remove('endpoints', 'shop', 'web');
  await plane.controllers.idle();
  expect(forwards()[0]?.targets).toEqual([]);
});

test('what is no address does not keep the rules of all Services from being written', async () => {
  service({ selector: {}, ports: [{ name: 'sql', port: 5432 }] });
  objects().create('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: ['x; drop', '192.0.2.5', 'fd00::1'].map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: 'sql', port: 1 }],
  });
  await plane.controllers.idle();
  expect(forwards()[0]?.targets).toEqual([{ address: '192.0.2.5', port: 1 }]);
});

test('a node port is there on the gateway and on the host’s loopback, for the one Service that came first', async () => {
  service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080, targetPort: 'http' }] });
  plane.ready(pod('a'));
  await plane.controllers.idle();
  expect(forwards().map(({ address, port }) => `${address}:${port}`)).toEqual([
    '10.2.0.9:80',
    '10.0.0.1:30080',
    '127.0.0.1:30080',
  ]);
});

test('addresses from outside are served unless they are the host’s or the cluster’s own', () => {
  const externalIPs = ['192.0.2.1', '127.0.0.1', '10.0.0.1', '10.1.0.7', '10.2.0.1', 'fd00::1', '0.0.0.0'];
  service({ externalIPs });
  expect(forwards().map(({ address }) => address)).toEqual(['10.2.0.9', '192.0.2.1']);
});

test('ports of the same name and another protocol are told apart; what nft cannot forward is left out', async () => {
  service({
    ports: [
      { name: 'a', port: 53, protocol: 'UDP', targetPort: 5353 },
      { name: 'b', port: 53, protocol: 'TCP', targetPort: 5354 },
      { name: 'c', port: 53, protocol: 'SCTP', targetPort: 5355 },
    ],
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 7 } },
  });
  plane.ready(pod('a'));
  await plane.controllers.idle();
  expect(forwards()).toMatchObject([
    { protocol: 'udp', targets: [{ port: 5353 }], affinitySeconds: 7 },
    { protocol: 'tcp', targets: [{ port: 5354 }], affinitySeconds: 7 },
  ]);
});
