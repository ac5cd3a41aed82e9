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
      completions: 1,
      selector: { matchLabels: { of: 'migrate' } },
      template: {
        metadata: { labels: { of: 'migrate' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] },
      },
      ...spec,
    },
  });
  await plane.controllers.idle();
}

test('an orphan that matches is adopted, a pod that matches no more is let go', async () => {
  await apply({ parallelism: 1 });
  const [first] = pods();
  const change = async (edit: (metadata: Pod['metadata']) => void) => {
    objects().modify('pods', 'shop', first?.metadata.name ?? '', ({ metadata }) => edit(metadata));
    await plane.controllers.idle();
  };
  await change((metadata) => delete metadata.ownerReferences);
  expect(pods()).toHaveLength(1);
  expect(pods()[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'migrate' }]);
  await change((metadata) => {
    metadata.labels = {};
  });
  const owned = new Map(
    pods().map(({ metadata }) => [metadata.name === first?.metadata.name, metadata.ownerReferences?.length]),
  );
  expect(Object.fromEntries(owned)).toEqual({ true: undefined, false: 1 });
});

async function finish(pod: Pod | undefined, phase: 'Succeeded' | 'Failed', exitCode?: number): Promise<void> {
  const finishedAt = timestamp(plane.clock.now());
  objects().modify('pods', 'shop', pod?.metadata.name ?? '', (stored) => {
    const terminated = { exitCode: exitCode ?? (phase === 'Failed' ? 1 : 0), reason: 'x', finishedAt };
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
  expect(job()?.status).toMatchObject({ succeeded: 1, completionTime: expect.any(String) as string });
  expect(job()?.status).not.toHaveProperty('active');
  expect(job()?.status?.conditions).toMatchObject([
    { type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached' },
    { type: 'Complete', status: 'True', reason: 'CompletionsReached' },
  ]);
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

async function change(edit: (spec: JobSpec) => void): Promise<void> {
  objects().modify('jobs.batch', 'shop', 'migrate', ({ spec }) => edit(spec));
  await plane.controllers.idle();
}

const byIndex = (index: number) =>
  pods().find(
    (pod) =>
      pod.metadata.labels?.['batch.kubernetes.io/job-completion-index'] === String(index) &&
      pod.status?.phase === 'Pending',
  );

test('an indexed job gives each pod its number, a name and a variable, and says which are done', async () => {
  await apply({ completionMode: 'Indexed', completions: 5, parallelism: 5 });
  expect(pods()).toHaveLength(5);
  const pod = byIndex(3);
  expect(pod?.metadata.name).toMatch(/^migrate-3-[a-z0-9]{5}$/);
  expect(pod?.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/job-completion-index': '3' });
  expect(pod?.spec.hostname).toBe('migrate-3');
  expect(pod?.spec.containers[0]?.env).toEqual([
    {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: {
        fieldRef: {
          apiVersion: 'v1',
          fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']",
        },
      },
    },
  ]);
  for (const index of [0, 1, 2, 4]) await finish(byIndex(index), 'Succeeded');
  expect(job()?.status).toMatchObject({ succeeded: 4, active: 1, completedIndexes: '0-2,4' });
  await finish(byIndex(3), 'Failed');
  await plane.clock.advance(11_000);
  expect(byIndex(3)).toBeDefined();
  await finish(byIndex(3), 'Succeeded');
  expect(job()?.status).toMatchObject({ succeeded: 5, failed: 1, completedIndexes: '0-4' });
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
});

test('each index has a limit of its own when the job says so', async () => {
  await apply({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
  await finish(byIndex(1), 'Succeeded');
  await finish(byIndex(0), 'Failed');
  await plane.clock.advance(11_000);
  expect(byIndex(0)?.metadata.annotations).toMatchObject({
    'batch.kubernetes.io/job-index-failure-count': '1',
  });
  await finish(byIndex(0), 'Failed');
  expect(job()?.status).toMatchObject({ completedIndexes: '1', failedIndexes: '0', failed: 2 });
  expect(conditionOf(job() ?? {}, 'Failed')).toMatchObject({
    reason: 'FailedIndexes',
    message: 'Job has failed indexes',
  });
});

test('a success policy ends it before all are done', async () => {
  await apply({
    completionMode: 'Indexed',
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
  });
  await finish(byIndex(2), 'Succeeded');
  expect(conditionOf(job() ?? {}, 'SuccessCriteriaMet')).toBeUndefined();
  await finish(byIndex(1), 'Succeeded');
  expect(conditionOf(job() ?? {}, 'Complete')).toMatchObject({
    reason: 'SuccessPolicy',
    message: 'Matched rules at index 0',
  });
  expect(byIndex(0)).toBeUndefined();
});

test('rules decide what a failure means: the end, nothing, or one of so many', async () => {
  await apply({
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
        { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
      ],
    },
  });
  const first = active();
  objects().modify('pods', 'shop', first?.metadata.name ?? '', (pod) => {
    pod.status = { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] };
  });
  await plane.controllers.idle();
  expect(job()?.status?.failed).toBeUndefined();
  const second = active();
  await finish(second, 'Failed', 42);
  expect(conditionOf(job() ?? {}, 'Failed')).toMatchObject({
    reason: 'PodFailurePolicy',
    message: `Container c for pod shop/${second?.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
  });
});

test('it is over only when its last pod is gone', async () => {
  await apply({ completions: 2, parallelism: 2, backoffLimit: 0 });
  for (const pod of pods()) plane.ready(pod);
  await plane.controllers.idle();
  await finish(pods()[0], 'Failed');
  expect(job()?.status).toMatchObject({ failed: 2, terminating: 1 });
  expect(conditionOf(job() ?? {}, 'FailureTarget')?.reason).toBe('BackoffLimitExceeded');
  expect(conditionOf(job() ?? {}, 'Failed')).toBeUndefined();
  plane.bury();
  await plane.controllers.idle();
  expect(conditionOf(job() ?? {}, 'Failed')?.reason).toBe('BackoffLimitExceeded');
  expect(job()?.status).toMatchObject({ failed: 2, terminating: 0 });
});

test('suspended it runs nothing and its time stands still; that is no failure', async () => {
  await apply({ suspend: true, activeDeadlineSeconds: 100, backoffLimit: 0 });
  expect(pods()).toEqual([]);
  expect(job()?.status).not.toHaveProperty('startTime');
  await plane.clock.advance(200_000);
  await change((spec) => {
    spec.suspend = false;
  });
  expect(job()?.status?.startTime).toBe(timestamp(plane.clock.now()));
  plane.ready(pods()[0] as Pod);
  await change((spec) => {
    spec.suspend = true;
  });
  expect(conditionOf(job() ?? {}, 'Suspended')).toMatchObject({ status: 'True', reason: 'JobSuspended' });
  expect(job()?.status).toMatchObject({ terminating: 1 });
  await change((spec) => {
    spec.suspend = false;
  });
  plane.bury();
  await plane.controllers.idle();
  expect(job()?.status?.failed).toBeUndefined();
  expect(active()).toBeDefined();
  expect(plane.eventTexts()).toEqual(
    expect.arrayContaining(['Suspended: Job suspended', 'Resumed: Job resumed']),
  );
});

test('a success that was deleted afterwards still counts', async () => {
  await apply({ completions: 2, parallelism: 1 });
  const first = active();
  await finish(first, 'Succeeded');
  plane.context.deletion.delete('pods', 'shop', first?.metadata.name ?? '', { gracePeriodSeconds: 0 });
  await plane.controllers.idle();
  await finish(active(), 'Succeeded');
  expect(job()?.status?.succeeded).toBe(2);
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
});

test('without a number of completions the first success means that the work is done', async () => {
  await apply({ parallelism: 2 });
  objects().store.remove('jobs.batch', 'shop', 'migrate');
  await plane.controllers.idle();
  objects().create('jobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'shop', generation: 1 },
    spec: { parallelism: 2, template: { spec: { containers: [{ name: 'c', image: 'a' }] } } },
  });
  await plane.controllers.idle();
  const [one, other] = pods().filter(({ status }) => status?.phase === 'Pending');
  await finish(one, 'Succeeded');
  expect(conditionOf(job() ?? {}, 'Complete')).toBeUndefined();
  await finish(other, 'Failed');
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
});

test("less parallelism takes pods away, and somebody else's job is left alone", async () => {
  await apply({ completions: 4, parallelism: 3 });
  await change((spec) => {
    spec.parallelism = 1;
  });
  expect(pods()).toHaveLength(1);
  expect(job()?.status).toMatchObject({ active: 1 });
  objects().store.remove('jobs.batch', 'shop', 'migrate');
  await plane.controllers.idle();
  await apply({ managedBy: 'example.com/queue' });
  expect(pods()).toEqual([]);
});

test('restarts in place count against the limit, too', async () => {
  await apply({
    backoffLimit: 2,
    template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'a' }] } },
  });
  const restarted = async (restartCount: number) => {
    objects().modify('pods', 'shop', pods()[0]?.metadata.name ?? '', (pod) => {
      const status = {
        name: 'c',
        state: {},
        lastState: {},
        ready: false,
        restartCount,
        image: 'a',
        imageID: '',
      };
      pod.status = { phase: 'Running', containerStatuses: [status] };
    });
    await plane.controllers.idle();
  };
  await restarted(1);
  expect(conditionOf(job() ?? {}, 'Failed')).toBeUndefined();
  await restarted(2);
  expect(conditionOf(job() ?? {}, 'Failed')?.reason).toBe('BackoffLimitExceeded');
});

test('an Indexed job that gets smaller stops the pods that lie outside, and is done with what is left', async () => {
  await apply({ completionMode: 'Indexed', completions: 4, parallelism: 4 });
  const of = (index: number) =>
    pods().find(
      ({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-completion-index'] === `${index}`,
    );
  // Index 1 waits for its next try: it must not be what makes room for those outside.
  await finish(of(1), 'Failed');
  objects().modify('jobs.batch', 'shop', 'migrate', ({ spec }) => {
    spec.completions = 2;
    spec.parallelism = 2;
  });
  await plane.controllers.idle();
  plane.bury();
  await plane.controllers.idle();
  expect([of(2), of(3)]).toEqual([undefined, undefined]);
  expect(of(0)?.metadata.deletionTimestamp).toBeUndefined();
  await plane.clock.advance(60_000);
  await plane.controllers.idle();
  for (const pod of pods().filter(({ status }) => status?.phase !== 'Failed')) await finish(pod, 'Succeeded');
  expect(job()?.status).toMatchObject({ succeeded: 2, completedIndexes: '0,1' });
  expect(conditionOf(job() ?? {}, 'Complete')?.status).toBe('True');
});

test('and one that gets larger starts what is new', async () => {
  await apply({ completionMode: 'Indexed', completions: 1, parallelism: 1 });
  objects().modify('jobs.batch', 'shop', 'migrate', ({ spec }) => {
    spec.completions = 3;
    spec.parallelism = 3;
  });
  await plane.controllers.idle();
  expect(pods()).toHaveLength(3);
});
