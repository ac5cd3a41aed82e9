import { codeOf, timestamp } from '@updraft/kit';
import type { CronJob, CronJobStatus, Job } from '../../kinds/batch.ts';
import { keyOf, ownerKey, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { passOnAwaiting } from '../../api/webhooks/awaiting.ts';
import { createAsClient } from '../creation.ts';
import { finishedCondition } from '../job/finished.ts';
import { controllerReference, isControlledBy } from '../ownership.ts';
import type { Again } from '../work-queue.ts';
import { trimHistory } from './history.ts';
import { isTimeZone, parseSchedule } from './schedule.ts';
import type { Schedule } from './schedule.ts';

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const MINUTE_MS = 60_000;
/** A machine that slept has slept through its timers: look at the clock at least this often. */
const LONGEST_WAIT_MS = 5 * MINUTE_MS;
const MANY_MISSED = 100;
/** What Kubernetes says of a day that no year has. */
const NEVER = 'time difference between two schedules is less than 1 second';

/** Makes Jobs at their times. A run that was missed is made up for once, as late as its deadline allows. */
export function cronJobController(context: ControllerContext): Controller {
  return {
    name: 'cronjob',
    resources: ['cronjobs.batch', 'jobs.batch'],
    keys: ({ resource, object }) =>
      resource === 'cronjobs.batch' ? [keyOf(object)] : ownerKey(object, 'CronJob'),
    reconcile: (key) => reconcile(context, key),
  };
}

const eventsOf = (context: ControllerContext) => context.events.as('cronjob-controller');

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const found = context.objects.get('cronjobs.batch', namespace, name);
  if (!found) return undefined;
  const jobs = context.objects.list('jobs.batch', namespace).filter((job) => isControlledBy(job, found));
  const cron = noteJobs(context, found, jobs);
  if (cron.metadata.deletionTimestamp !== undefined) return undefined;
  trimHistory(context, cron, jobs);
  if (cron.spec.suspend) return undefined;
  const schedule = scheduleOf(context, cron);
  return schedule && startDue(context, cron, schedule);
}

function scheduleOf(context: ControllerContext, cron: CronJob): Schedule | undefined {
  const { schedule: text, timeZone } = cron.spec;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    eventsOf(context).warning(cron, 'UnknownTimeZone', `invalid timeZone: ${timeZone}`);
    return undefined;
  }
  const schedule = parseSchedule(text, timeZone);
  if (!('problem' in schedule)) return schedule;
  eventsOf(context).warning(
    cron,
    'UnparseableSchedule',
    `unparseable schedule: ${text} : ${schedule.problem}`,
  );
  return undefined;
}

/** Brings the list of running jobs and the time of the last success up to date. */
function noteJobs(context: ControllerContext, cron: CronJob, jobs: readonly Job[]): CronJob {
  const running = new Map(
    jobs.filter((job) => !finishedCondition(job)).map((job) => [job.metadata.uid, job]),
  );
  for (const { uid, name } of cron.status?.active ?? []) {
    if (running.has(uid ?? '')) continue;
    const ended = jobs.find(({ metadata }) => metadata.uid === uid);
    const condition = ended && finishedCondition(ended)?.type;
    if (condition) {
      const message = `Saw completed job: ${name}, condition: ${condition}`;
      eventsOf(context).normal(cron, 'SawCompletedJob', message);
    } else {
      eventsOf(context).normal(cron, 'MissingJob', `Active job went missing: ${name}`);
    }
  }
  const lastSuccessfulTime = jobs
    .filter((job) => finishedCondition(job)?.type === 'Complete')
    .flatMap(({ status }) => status?.completionTime ?? [])
    .concat(cron.status?.lastSuccessfulTime ?? [])
    .toSorted()
    .at(-1);
  const written = context.objects.modify(
    'cronjobs.batch',
    cron.metadata.namespace,
    cron.metadata.name,
    (stored) => {
      const active = [...running.values()].map((job) => referenceTo(job, stored.status));
      stored.status = {
        ...(active.length > 0 ? { active } : {}),
        ...(stored.status?.lastScheduleTime === undefined
          ? {}
          : { lastScheduleTime: stored.status.lastScheduleTime }),
        ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
      };
    },
  );
  return written ?? cron;
}

/** As it was noted first: a reference that followed the job's every change would be a write each. */
function referenceTo(job: Job, status: CronJobStatus | undefined) {
  const { name, namespace, uid, resourceVersion } = job.metadata;
  const noted = status?.active?.find((reference) => reference.uid === uid);
  if (noted) return noted;
  const place = namespace === undefined ? {} : { namespace };
  return { apiVersion: 'batch/v1', kind: 'Job', name, ...place, uid, resourceVersion };
}

function startDue(context: ControllerContext, cron: CronJob, schedule: Schedule): Again {
  const nowMs = context.clock.now();
  const due = dueAt(context, cron, schedule);
  if (due !== undefined) start(context, cron, due);
  const next = schedule.nextAfter(nowMs);
  if (next === undefined) {
    const why = `invalid schedule: ${cron.spec.schedule} : ${NEVER}`;
    eventsOf(context).warning(cron, 'InvalidSchedule', why);
  }
  return next === undefined ? undefined : { afterMs: Math.min(next - nowMs, LONGEST_WAIT_MS) };
}

/** The last moment that was missed since the last start, if any. */
function dueAt(context: ControllerContext, cron: CronJob, schedule: Schedule): number | undefined {
  const nowMs = context.clock.now();
  const since = Date.parse(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp);
  const { startingDeadlineSeconds } = cron.spec;
  const earliest =
    startingDeadlineSeconds === undefined ? since : Math.max(since, nowMs - startingDeadlineSeconds * 1000);
  const last = schedule.lastUntil(nowMs);
  if (last === undefined || last <= earliest) return undefined;
  let missed = 0;
  for (let at: number | undefined = earliest; at !== undefined && missed <= MANY_MISSED; missed += 1) {
    at = schedule.nextAfter(at);
    if (at === undefined || at > nowMs) break;
  }
  if (missed > MANY_MISSED) {
    const message =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    eventsOf(context).warning(cron, 'TooManyMissedTimes', message);
  }
  return last;
}

function start(context: ControllerContext, cron: CronJob, dueMs: number): void {
  const { objects, deletion } = context;
  const { namespace } = cron.metadata;
  const active = cron.status?.active ?? [];
  if (cron.spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return eventsOf(context).normal(cron, 'JobAlreadyActive', message);
  }
  if (cron.spec.concurrencyPolicy === 'Replace') {
    for (const { name = '', uid } of active) {
      const options = { propagationPolicy: 'Background' as const, ...(uid === undefined ? {} : { uid }) };
      deletion.delete('jobs.batch', namespace, name, options);
      eventsOf(context).normal(cron, 'SuccessfulDelete', `Deleted job ${name}`);
    }
  }
  const job = createJob(context, cron, dueMs);
  if (!job) return undefined;
  objects.modify('cronjobs.batch', namespace, cron.metadata.name, (stored) => {
    const kept = (stored.status?.active ?? []).filter(({ uid }) => uid !== job.metadata.uid);
    stored.status = {
      ...stored.status,
      active: [...kept, referenceTo(job, undefined)],
      lastScheduleTime: timestamp(dueMs),
    };
  });
  return undefined;
}

/** The name carries the minute, so that no moment is served twice, whatever was forgotten in a crash. */
function createJob(context: ControllerContext, cron: CronJob, dueMs: number): Job | undefined {
  const { namespace } = cron.metadata;
  const name = `${cron.metadata.name}-${Math.floor(dueMs / MINUTE_MS)}`;
  const { metadata, spec } = cron.spec.jobTemplate;
  try {
    const job = createAsClient(context, 'jobs.batch', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(metadata?.labels ? { labels: metadata.labels } : {}),
        annotations: { ...metadata?.annotations, [SCHEDULED_AT]: localTime(dueMs, cron.spec.timeZone) },
        ownerReferences: [controllerReference(cron)],
        generation: 1,
      },
      spec: structuredClone(spec),
      status: {},
    });
    eventsOf(context).normal(cron, 'SuccessfulCreate', `Created job ${name}`);
    return job;
  } catch (error) {
    passOnAwaiting(error);
    const existing = context.objects.get('jobs.batch', namespace, name);
    if (codeOf(error) === 'ALREADY_EXISTS' && existing && isControlledBy(existing, cron)) return existing;
    eventsOf(context).warning(cron, 'FailedCreate', `Error creating job: ${String(error)}`);
    throw error;
  }
}

/** RFC 3339 with the offset of the zone. */
function localTime(ms: number, timeZone = 'Etc/UTC'): string {
  const wall = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const text = wall.format(new Date(ms)).replace(' ', 'T');
  const minutes = Math.round((Date.parse(`${text}Z`) - ms) / MINUTE_MS);
  if (minutes === 0) return `${text}Z`;
  const digits = (value: number) => String(value).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${text}${minutes < 0 ? '-' : '+'}${digits(Math.floor(size / 60))}:${digits(size % 60)}`;
}
