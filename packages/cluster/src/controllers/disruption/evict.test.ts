import { expect, test } from 'vitest';
import type { ApiContext } from '../../api/context.ts';
import { evict } from '../../api/subresources.ts';
import type { ApiRequest } from '../../api/request.ts';
import type { Named } from '../../api/write.ts';
import { testContext } from '../../testing/control-plane.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { conditionOf } from '../conditions.ts';

const clock = new FakeClock();

test('an eviction is charged to the budget, and the pod says why it goes', () => {
  const { objects } = testContext(clock);
  const labels = { app: 'web' };
  for (const name of ['a', 'b']) {
    objects.create('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', labels },
      spec: { containers: [], nodeName: 'node' },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }
  objects.create('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
    status: {
      observedGeneration: 1,
      expectedPods: 2,
      currentHealthy: 2,
      desiredHealthy: 1,
      disruptionsAllowed: 1,
    },
  });
  const context = { store: objects.store, clock } as unknown as ApiContext;
  const body = Buffer.from(JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: {} }));
  const request = {
    method: 'POST',
    body,
    contentType: 'application/json',
    query: new URLSearchParams(),
  } as unknown as ApiRequest;
  const named = (name: string) =>
    ({
      type: { storedAs: 'pods', group: '', plural: 'pods', kind: 'Pod' },
      namespace: 'shop',
      name,
      subresource: 'eviction',
    }) as unknown as Named;
  expect(evict(context, request, named('a')).code).toBe(201);
  const pod = objects.get('pods', 'shop', 'a');
  expect(pod?.metadata.deletionTimestamp).toBeDefined();
  expect(conditionOf(pod ?? {}, 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'EvictionByEvictionAPI',
  });
  expect(objects.get('poddisruptionbudgets.policy', 'shop', 'web')?.status).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { a: expect.any(String) as string },
  });
  expect(() => evict(context, request, named('b'))).toThrow("violate the pod's disruption budget");
  expect(objects.get('pods', 'shop', 'b')?.metadata.deletionTimestamp).toBeUndefined();
});
