import { timestamp } from '@updraft/kit';
import type { Job, JobStatus } from '../../kinds/batch.ts';
import type { Condition } from '../../kinds/meta.ts';
import { conditionOf, withCondition } from '../conditions.ts';
import type { ConditionChange } from '../conditions.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { keysOfOwners } from '../ownership.ts';
import type { Again } from '../work-queue.ts';
import { finishedCondition } from './finished.ts';
import { formatIndexes } from './indexes.ts';
import { outcomeOf } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { balance, stop } from './pods.ts';
import { EndsCounter, isIndexed, livingOf, tallyOf } from './tally.ts';
import type { Living, Tally } from './tally.ts';

const OWN_NAME = 'kubernetes.io/job-controller';

/** Runs pods until enough of them have succeeded, or too many have failed. */
export function jobController(context: ControllerContext): Controller {
  const counter = new EndsCounter();
  return {
    name: 'job',
    resources: ['jobs.batch', 'pods'],
    keys: ({ resource, object, type }) => {
      if (resource !== 'jobs.batch')
        return keysOfOwners({ object, type }, 'Job', () => context.objects.list('jobs.batch'));
      if (type === 'DELETED') counter.forget(object.metadata.uid);
      return [keyOf(object)];
    },
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      const job = context.objects.get('jobs.batch', namespace, name);
      if (!job || job.metadata.deletionTimestamp !== undefined) return undefined;
      if ((job.spec.managedBy ?? OWN_NAME) !== OWN_NAME) return undefined;
      return finishedCondition(job) ? expire(context, job) : reconcile(context, counter, job);
    },
  };
}

function reconcile(context: ControllerContext, counter: EndsCounter, found: Job): Again {
  const job = noteSuspension(context, found);
  const tally = tallyOf(context, counter, job);
  const nowMs = context.clock.now();
  const startTime = job.status?.startTime ?? (job.spec.suspend ? undefined : timestamp(nowMs));
  const ranMs = startTime === undefined ? 0 : nowMs - Date.parse(startTime);
  const progress = { ...countsOf(job, tally), ...(startTime === undefined ? {} : { startTime }) };
  const outcome = outcomeOf(job, tally, ranMs);
  if (outcome) return conclude(context, counter, job, { outcome, tally, progress });
  let waitMs = 0;
  try {
    if (job.spec.suspend) stop(context, counter, job, tally.active);
    else waitMs = balance(context, counter, job, tally);
  } finally {
    write(context, job, { ...progress, ...livingCounts(livingOf(context, job)) });
  }
  return soonest([waitMs, deadlineIn(job, ranMs)]);
}

function soonest(waits: readonly number[]): Again {
  const real = waits.filter((ms) => ms > 0);
  return real.length > 0 ? { afterMs: Math.min(...real) } : undefined;
}

function deadlineIn({ spec }: Job, ranMs: number): number {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend) return 0;
  return Math.max(1, spec.activeDeadlineSeconds * 1000 - ranMs);
}

const livingCounts = ({ active, ready, terminating }: Living) => ({
  active: active.length,
  ready,
  terminating: terminating.length,
});

function countsOf(job: Job, tally: Tally): JobStatus {
  return {
    ...livingCounts(tally),
    succeeded: tally.succeeded,
    failed: tally.failed,
    uncountedTerminatedPods: {},
    ...(isIndexed(job) ? { completedIndexes: formatIndexes(tally.completedIndexes) } : {}),
    ...(job.spec.backoffLimitPerIndex === undefined
      ? {}
      : { failedIndexes: formatIndexes(tally.failedIndexes) }),
  };
}

/** Absent members are none; zero is left out where Kubernetes leaves it out. */
function write({ objects }: ControllerContext, job: Job, changes: JobStatus): void {
  const { namespace, name } = job.metadata;
  objects.modify('jobs.batch', namespace, name, (stored) => {
    const { active, succeeded, failed, completedIndexes, failedIndexes, ...rest } = {
      ...stored.status,
      ...changes,
    };
    stored.status = {
      ...rest,
      ...(active ? { active } : {}),
      ...(succeeded ? { succeeded } : {}),
      ...(failed ? { failed } : {}),
      ...(completedIndexes ? { completedIndexes } : {}),
      ...(failedIndexes ? { failedIndexes } : {}),
    };
  });
}

const jobEvents = ({ events }: ControllerContext) => events.as('job-controller');

/** Says first how it will end, then waits for the last pod to go, then says that it has ended. */
function conclude(
  context: ControllerContext,
  counter: EndsCounter,
  job: Job,
  { outcome, tally, progress }: { outcome: Outcome; tally: Tally; progress: JobStatus },
): Again {
  const success = outcome.kind === 'SuccessCriteriaMet';
  // Whoever runs when the job fails has failed with it, whether or not its pod can still say so.
  const failed = (progress.failed ?? 0) + (success ? 0 : counter.note(job, 'failed', tally.active));
  stop(context, counter, job, tally.active);
  const living = livingCounts(livingOf(context, job));
  const isOver = living.active + living.terminating === 0;
  const nowMs = context.clock.now();
  const { kind, reason, message } = outcome;
  const put = (conditions: Condition[] | undefined, type: string) =>
    withCondition(conditions, { type, status: 'True', reason, message }, nowMs);
  const announced = put(job.status?.conditions, kind);
  const conditions = isOver ? put(announced, success ? 'Complete' : 'Failed') : announced;
  write(context, job, {
    ...progress,
    failed,
    ...living,
    conditions: conditions.map(({ lastUpdateTime: _unused, ...condition }) => ({
      ...condition,
      lastProbeTime: condition.lastTransitionTime ?? null,
    })),
    ...(isOver && success ? { completionTime: timestamp(nowMs) } : {}),
  });
  if (!isOver) return undefined;
  if (success) jobEvents(context).normal(job, 'Completed', 'Job completed');
  else jobEvents(context).warning(job, reason, message);
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  return seconds === undefined ? undefined : { afterMs: seconds * 1000 };
}

/** A suspended job's time stands still: it starts anew when it goes on. */
function noteSuspension(context: ControllerContext, job: Job): Job {
  const suspended = job.spec.suspend === true;
  const before = conditionOf(job, 'Suspended')?.status === 'True';
  if (suspended === before) return job;
  const change: ConditionChange = {
    type: 'Suspended',
    status: suspended ? 'True' : 'False',
    reason: suspended ? 'JobSuspended' : 'JobResumed',
    message: suspended ? 'Job suspended' : 'Job resumed',
  };
  const { namespace, name } = job.metadata;
  const written = context.objects.modify('jobs.batch', namespace, name, (stored) => {
    const { startTime: _stopped, ...status } = stored.status ?? {};
    const conditions = withCondition(status.conditions, change, context.clock.now());
    stored.status = { ...status, conditions };
  });
  jobEvents(context).normal(job, suspended ? 'Suspended' : 'Resumed', change.message ?? '');
  return written ?? job;
}

function expire({ clock, deletion }: ControllerContext, job: Job): Again {
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  if (seconds === undefined) return undefined;
  const leftMs = Date.parse(finishedCondition(job)?.lastTransitionTime ?? '') + seconds * 1000 - clock.now();
  if (leftMs > 0) return { afterMs: leftMs };
  const { namespace, name, uid } = job.metadata;
  deletion.delete('jobs.batch', namespace, name, { uid, propagationPolicy: 'Foreground' });
  return undefined;
}
