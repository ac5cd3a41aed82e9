import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { hasHostPort, hostPortForwards } from './host-ports.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane(() => []);
});
afterEach(() => plane.stop());

const GATEWAY = '10.0.0.1';
const forwards = () =>
  hostPortForwards(plane.context.objects, { gateway: GATEWAY }).map(
    ({ address, protocol, port, targets }) =>
      `${address} ${protocol} ${port} -> ${targets.map((target) => `${target.address}:${target.port}`).join()}`,
  );

function pod(name: string, port: object, status: object, spec: object = {}) {
  return plane.context.objects.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, ...port }] }], ...spec },
    status,
  });
}

test('ports of the host lead to pods that have them, on the addresses they ask for', () => {
  const at = (podIP: string) => ({ phase: 'Running', podIP });
  pod('all', { hostPort: 8080 }, at('10.1.0.2'));
  pod('one', { hostPort: 8081, hostIP: '127.0.0.1' }, at('10.1.0.3'));
  pod('udp', { hostPort: 8081, hostIP: GATEWAY, protocol: 'UDP' }, at('10.1.0.4'));
  pod('nowhere', { hostPort: 8082, hostIP: '192.0.2.1' }, at('10.1.0.5'));
  pod('over', { hostPort: 8083 }, { phase: 'Succeeded', podIP: '10.1.0.6' });
  pod('waiting', { hostPort: 8084 }, { phase: 'Pending' });
  pod('within', { hostPort: 8085 }, at('10.1.0.7'), { hostNetwork: true });
  expect(hasHostPort(pod('none', {}, at('10.1.0.8')))).toBe(false);
  expect(forwards()).toEqual([
    '10.0.0.1 tcp 8080 -> 10.1.0.2:80',
    '127.0.0.1 tcp 8080 -> 10.1.0.2:80',
    '127.0.0.1 tcp 8081 -> 10.1.0.3:80',
    '10.0.0.1 udp 8081 -> 10.1.0.4:80',
  ]);
});
