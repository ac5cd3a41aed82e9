import { expect, test } from 'vitest';
import { testContext } from '../testing/control-plane.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { keepNode } from './node-status.ts';

test('what somebody says that the node has is offered, and stays', async () => {
  const clock = new FakeClock();
  const { objects } = testContext(clock);
  const options = { objects, clock, name: 'n', address: '10.0.0.1', podCidr: '10.0.0.0/24' };
  const stop = keepNode({ ...options, version: '1', runtime: 'runc' });
  const node = () => objects.get('nodes', undefined, 'n');
  const { cpu } = node()?.status?.capacity ?? {};
  objects.modify('nodes', undefined, 'n', ({ status }) => {
    if (status) status.capacity = { ...status.capacity, 'example.com/dongle': '3', cpu: '9999' };
  });
  await clock.advance(11_000);
  expect(node()?.status).toMatchObject({
    capacity: { 'example.com/dongle': '3', cpu },
    allocatable: { 'example.com/dongle': '3', cpu },
  });
  await clock.advance(600_000);
  expect(node()?.status?.allocatable).toHaveProperty(['example.com/dongle'], '3');
  objects.modify('nodes', undefined, 'n', ({ status }) => {
    delete status?.capacity?.['example.com/dongle'];
  });
  await clock.advance(11_000);
  expect(node()?.status?.allocatable).not.toHaveProperty(['example.com/dongle']);
  stop();
});
