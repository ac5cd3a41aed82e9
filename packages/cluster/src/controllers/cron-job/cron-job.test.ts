import { afterEach, beforeEach, expect, test } from 'vitest';
import { timestamp } from '@updraft/kit';
import type { CronJob, CronJobSpec } from '../../kinds/batch.ts';
import { startPlane } from '../../testing/control-plane.ts';
import type { TestPlane } from '../../testing/control-plane.ts';
import { garbageCollector } from '../garbage-collector.ts';
import { jobController } from '../job/job.ts';
import { cronJobController } from './cron-job.ts';

const MINUTE = 60_000;
let plane: TestPlane;
beforeEach(() => {
  plane = startPlane((context) => [
    cronJobController(context),
    jobController(context),
    garbageCollector(context),
  ]);
});
afterEach(() => plane.stop());

const objects = () => plane.context.objects;
const cron = () => objects().get('cronjobs.batch', 'shop', 'backup') as CronJob;
const jobs = () => objects().list('jobs.batch', 'shop');
const pods = () => objects().list('pods', 'shop');
const count = (reason: string) => plane.eventTexts().filter((text) => text.startsWith(`${reason}:`)).length;

async function apply(spec: Partial<CronJobSpec> = {}): Promise<void> {
  objects().create('cronjobs.batch', {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'backup', namespace: 'shop', generation: 1 },
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: {
        metadata: { labels: { app: 'backup' } },
        spec: {
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a:1' }] } },
        },
      },
      ...spec,
    },
  });
  await plane.controllers.idle();
}

async function finish(phase: 'Succeeded' | 'Failed'): Promise<void> {
  for (const pod of pods().filter(({ status }) => status?.phase === 'Pending')) {
    objects().modify('pods', 'shop', pod.metadata.name, (stored) => {
      stored.status = { phase };
    });
  }
  await plane.controllers.idle();
}

async function pass(ms: number): Promise<void> {
  await plane.clock.advance(ms);
  await plane.controllers.idle();
}

test('it makes a job at its minute, as Kubernetes names it, and remembers how it went', async () => {
  await apply();
  await pass(5 * MINUTE - 1000);
  expect(jobs()).toEqual([]);
  await pass(1000);
  const at = plane.clock.now();
  const name = `backup-${at / MINUTE}`;
  const [job] = jobs();
  expect(job?.metadata).toMatchObject({
    name,
    labels: { app: 'backup' },
    annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(at) },
    ownerReferences: [{ kind: 'CronJob', name: 'backup', controller: true }],
  });
  expect(job?.spec).toMatchObject({
    backoffLimit: 6,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': job?.metadata.uid } },
  });
  expect(cron().status).toMatchObject({
    active: [{ kind: 'Job', name, uid: job?.metadata.uid }],
    lastScheduleTime: timestamp(at),
  });
  await pass(7000);
  await finish('Succeeded');
  expect(cron().status).toEqual({
    lastScheduleTime: timestamp(at),
    lastSuccessfulTime: timestamp(at + 7000),
  });
  expect(plane.eventTexts()).toContain(`SawCompletedJob: Saw completed job: ${name}, condition: Complete`);
});

test('the time zone counts, and is written with its offset', async () => {
  await apply({ schedule: '30 9 * * *', timeZone: 'Asia/Kolkata' });
  await pass(4 * 60 * MINUTE);
  expect(jobs()[0]?.metadata.annotations).toEqual({
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T09:30:00+05:30',
  });
});

test('Forbid waits for the run before and then makes up for the last one missed', async () => {
  await apply({ concurrencyPolicy: 'Forbid' });
  await pass(16 * MINUTE);
  expect(jobs()).toHaveLength(1);
  expect(count('JobAlreadyActive')).toBe(1);
  await finish('Succeeded');
  expect(jobs().map(({ metadata }) => metadata.name)).toEqual([
    `backup-${(plane.clock.now() - 11 * MINUTE) / MINUTE}`,
    `backup-${(plane.clock.now() - MINUTE) / MINUTE}`,
  ]);
});

test('Replace ends the run before, Allow lets both run', async () => {
  await apply({ concurrencyPolicy: 'Replace' });
  await pass(10 * MINUTE);
  expect(jobs()).toHaveLength(1);
  expect(cron().status?.active).toHaveLength(1);
  objects().modify('cronjobs.batch', 'shop', 'backup', ({ spec }) => {
    spec.concurrencyPolicy = 'Allow';
  });
  await pass(5 * MINUTE);
  expect(jobs()).toHaveLength(2);
  expect(cron().status?.active).toHaveLength(2);
});

test('a suspended one rests, and makes up for one run only when it goes on', async () => {
  await apply({ suspend: true });
  await pass(60 * MINUTE);
  expect(jobs()).toEqual([]);
  expect(plane.clock.pending).toBe(0);
  objects().modify('cronjobs.batch', 'shop', 'backup', ({ spec }) => {
    spec.suspend = false;
  });
  await plane.controllers.idle();
  expect(jobs()).toHaveLength(1);
});

test('what was missed longer ago than the deadline is not made up for', async () => {
  await apply({ suspend: true, startingDeadlineSeconds: 60 });
  await pass(12 * MINUTE);
  objects().modify('cronjobs.batch', 'shop', 'backup', ({ spec }) => {
    spec.suspend = false;
  });
  await plane.controllers.idle();
  expect(jobs()).toEqual([]);
  await pass(3 * MINUTE);
  expect(jobs()).toHaveLength(1);
});

test('more than a hundred missed runs are one run and a warning', async () => {
  await apply({ schedule: '* * * * *', suspend: true });
  await pass(102 * MINUTE);
  objects().modify('cronjobs.batch', 'shop', 'backup', ({ spec }) => {
    spec.suspend = false;
  });
  await plane.controllers.idle();
  expect(jobs()).toHaveLength(1);
  expect(count('TooManyMissedTimes')).toBe(1);
});

test('finished jobs are kept up to the limits', async () => {
  await apply({ schedule: '* * * * *', successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 });
  for (let round = 0; round < 4; round += 1) {
    await pass(MINUTE);
    await finish('Succeeded');
  }
  expect(jobs()).toHaveLength(2);
  objects().modify('cronjobs.batch', 'shop', 'backup', ({ spec }) => {
    spec.jobTemplate.spec.backoffLimit = 0;
  });
  for (let round = 0; round < 3; round += 1) {
    await pass(MINUTE);
    await finish('Failed');
  }
  expect(jobs().map(({ status }) => status?.failed ?? 0)).toEqual([0, 0, 1]);
  expect(count('SuccessfulDelete')).toBe(4);
});

test('deleting it takes its jobs and their pods along', async () => {
  await apply();
  await pass(5 * MINUTE);
  plane.context.deletion.delete('cronjobs.batch', 'shop', 'backup', { propagationPolicy: 'Background' });
  await plane.controllers.idle();
  expect([jobs(), pods()]).toEqual([[], []]);
  await pass(60 * MINUTE);
  expect(jobs()).toEqual([]);
});

test('a day that no year has is told', async () => {
  await apply({ schedule: '59 23 31 2 *' });
  expect(jobs()).toEqual([]);
  expect(plane.eventTexts()).toEqual([
    'InvalidSchedule: invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second',
  ]);
});
