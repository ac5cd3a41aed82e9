import { afterEach, beforeEach, expect, test } from 'vitest';
import { timestamp } from '@updraft/kit';
import type { Pod } from '../../kinds/pod.ts';
import type { JobSpec } from '../../kinds/batch.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { conditionOf } from '../conditions.ts';
import { garbageCollector } from '../garbage-collector.ts';
import { jobController } from './job.ts';

let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [jobController(context), garbageCollector(context)]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const job = () => objects().get('jobs.batch', 'shop', 'migrate');
const pods = () => objects().list('pods', 'shop');

async function apply(spec: Partial<JobSpec> = {}): Promise<void> {
  objects().create('jobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'shop', generation: 1 },
    spec: {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] } },
      ...spec,
    },
  });
  await plane.controllers.idle();
}

async function finish(pod: Pod | undefined, phase: 'Succeeded' | 'Failed'): Promise<void> {
  const finishedAt = timestamp(plane.clock.now());
  objects().modify('pods', 'shop', pod?.metadata.name ?? '', (stored) => {
    const terminated = { exitCode: phase === 'Failed' ? 1 : 0, reason: 'x', finishedAt };
    const status = {
      name: 'c',
      state: { terminated },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: 'a',
      imageID: '',
    };
    stored.status = { phase, containerStatuses: [status] };
  });
  await plane.controllers.idle();
}

const active = () => pods().find(({ status }) => status?.phase === 'Pending');

test('it is complete when its pod has succeeded, and goes after its time to live', async () => {
  await apply({ ttlSecondsAfterFinished: 60 });
  expect(job()?.status).toMatchObject({ active: 1 });
  await finish(active(), 'Succeeded');
  expect(job()?.status).toMatchObject({
    succeeded: 1,
    active: 0,
    completionTime: expect.any(String) as string,
  });
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
  await plane.clock.advance(61_000);
  await plane.controllers.idle();
  expect(job()).toBeUndefined();
  expect(pods()).toEqual([]);
});

test('failures are tried again after 10, then 20 seconds, and then it has failed', async () => {
  await apply({ backoffLimit: 2 });
  await finish(active(), 'Failed');
  expect(active()).toBeUndefined();
  await plane.clock.advance(9000);
  expect(active()).toBeUndefined();
  await plane.clock.advance(1500);
  expect(active()).toBeDefined();
  await finish(active(), 'Failed');
  await plane.clock.advance(19_000);
  expect(active()).toBeUndefined();
  await plane.clock.advance(1500);
  await finish(active(), 'Failed');
  expect(conditionOf(job() ?? {}, 'Failed')).toMatchObject({
    status: 'True',
    reason: 'BackoffLimitExceeded',
  });
  await plane.clock.advance(600_000);
  expect(pods()).toHaveLength(3);
});

test('several completions run at most so many at once', async () => {
  await apply({ completions: 3, parallelism: 2 });
  expect(pods()).toHaveLength(2);
  await finish(active(), 'Succeeded');
  expect(pods()).toHaveLength(3);
  await finish(active(), 'Succeeded');
  await finish(active(), 'Succeeded');
  expect(pods()).toHaveLength(3);
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
});

test('the deadline ends it', async () => {
  await apply({ activeDeadlineSeconds: 30 });
  await plane.clock.advance(31_000);
  expect(conditionOf(job() ?? {}, 'Failed')?.reason).toBe('DeadlineExceeded');
  expect(pods()).toEqual([]);
});
