import { afterEach, beforeEach, expect, test } from 'vitest';
import { endpointsController } from './controllers/endpoints/endpoints.ts';
import { publishApi } from './kubernetes-service.ts';
import { startPlane } from './testing/control-plane.ts';
import type { TestPlane } from './testing/control-plane.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [endpointsController(context)]);
});
afterEach(() => plane.stop());

test('the API has one slice, however often it is published', async () => {
  const { objects } = plane.context;
  for (const port of [6443, 6444]) {
    publishApi(objects, { network: { serviceCidr: '10.96.0.0/16', gateway: '10.1.0.1' }, port });
    await plane.controllers.idle();
  }
  const slices = objects.list('endpointslices.discovery.k8s.io', 'default');
  expect(slices.map(({ metadata, ports }) => [metadata.name, ports?.[0]?.port])).toEqual([
    ['kubernetes', 6444],
  ]);
  const ranges = objects.store.list('servicecidrs.networking.k8s.io');
  expect(ranges.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
    ['kubernetes', { cidrs: ['10.96.0.0/16'] }],
  ]);
  expect(objects.get('endpoints', 'default', 'kubernetes')?.subsets?.[0]?.ports?.[0]?.port).toBe(6444);
});
