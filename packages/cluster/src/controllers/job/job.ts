import { timestamp } from '@updraft/kit';
import type { Pod } from '../../kinds/pod.ts';
import type { Job, JobStatus } from '../../kinds/batch.ts';
import { withCondition } from '../conditions.ts';
import { keyOf, ownerKey, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { generatedName } from '../naming.ts';
import { isControlledBy } from '../ownership.ts';
import { isFinished, isReady, isTerminating, podFrom } from '../pods.ts';
import type { Again } from '../work-queue.ts';

const FIRST_PAUSE_MS = 10_000;
const LAST_PAUSE_MS = 360_000;
const DEFAULT_BACKOFF_LIMIT = 6;

/** Runs pods until enough of them have succeeded. Completion by index is not known here and is refused with an event. */
export function jobController(context: ControllerContext): Controller {
  return {
    name: 'job',
    resources: ['jobs.batch', 'pods'],
    keys: ({ resource, object }) => (resource === 'jobs.batch' ? [keyOf(object)] : ownerKey(object, 'Job')),
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      const job = context.objects.get('jobs.batch', namespace, name);
      return job && job.metadata.deletionTimestamp === undefined ? reconcile(context, job) : undefined;
    },
  };
}

interface Tally {
  readonly active: readonly Pod[];
  readonly succeeded: number;
  readonly failed: readonly Pod[];
}

function tallyOf({ objects }: ControllerContext, job: Job): Tally {
  const pods = objects.list('pods', job.metadata.namespace).filter((pod) => isControlledBy(pod, job));
  return {
    active: pods.filter((pod) => !isFinished(pod) && !isTerminating(pod)),
    succeeded: pods.filter(({ status }) => status?.phase === 'Succeeded').length,
    failed: pods.filter(({ status }) => status?.phase === 'Failed'),
  };
}

const conditionIs = (job: Job, type: string) =>
  job.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ===
  true;

function reconcile(context: ControllerContext, job: Job): Again {
  if (conditionIs(job, 'Complete') || conditionIs(job, 'Failed')) return expire(context, job);
  const tally = tallyOf(context, job);
  const startTime = job.status?.startTime ?? timestamp(context.clock.now());
  const failure = failureOf(context, job, { tally, startTime });
  if (failure) return fail(context, job, { tally, startTime, failure });
  const wanted = job.spec.completions ?? 1;
  if (tally.succeeded >= wanted) return complete(context, job, { tally, startTime });
  const again = job.spec.suspend ? stopAll(context, tally) : startMissing(context, job, { tally, wanted });
  write(context, job, { ...counts(tallyOf(context, job)), startTime });
  return again ?? deadlineAfter(context, job, startTime);
}

function counts(tally: Tally): Pick<JobStatus, 'active' | 'ready' | 'succeeded' | 'failed' | 'terminating'> {
  return {
    active: tally.active.length,
    ready: tally.active.filter(isReady).length,
    succeeded: tally.succeeded,
    failed: tally.failed.length,
    terminating: 0,
  };
}

function write({ objects }: ControllerContext, job: Job, status: JobStatus): void {
  objects.modify('jobs.batch', job.metadata.namespace, job.metadata.name, (stored) => {
    stored.status = { ...stored.status, ...status };
  });
}

interface Progress {
  readonly tally: Tally;
  readonly startTime: string;
}

function failureOf(context: ControllerContext, job: Job, { tally, startTime }: Progress) {
  const { activeDeadlineSeconds, backoffLimit = DEFAULT_BACKOFF_LIMIT, completionMode } = job.spec;
  if (completionMode === 'Indexed') {
    return { reason: 'Unsupported', message: 'completionMode Indexed is not supported by this cluster' };
  }
  const ranMs = context.clock.now() - Date.parse(startTime);
  if (activeDeadlineSeconds !== undefined && ranMs >= activeDeadlineSeconds * 1000) {
    return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  const restarts = tally.active
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const attempts = job.spec.template.spec.restartPolicy === 'OnFailure' ? restarts : tally.failed.length;
  return attempts > backoffLimit
    ? { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
    : undefined;
}

function fail(
  context: ControllerContext,
  job: Job,
  { tally, startTime, failure }: Progress & { failure: { reason: string; message: string } },
): Again {
  stopAll(context, tally);
  const nowMs = context.clock.now();
  const first = withCondition(
    job.status?.conditions,
    { type: 'FailureTarget', status: 'True', ...failure },
    nowMs,
  );
  const conditions = withCondition(first, { type: 'Failed', status: 'True', ...failure }, nowMs);
  write(context, job, { ...counts(tally), active: 0, ready: 0, startTime, conditions });
  context.events.as('job-controller').warning(job, failure.reason, failure.message);
  return expireAfter(job);
}

function complete(context: ControllerContext, job: Job, { tally, startTime }: Progress): Again {
  stopAll(context, tally);
  const nowMs = context.clock.now();
  const why = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  const first = withCondition(
    job.status?.conditions,
    { type: 'SuccessCriteriaMet', status: 'True', ...why },
    nowMs,
  );
  const conditions = withCondition(first, { type: 'Complete', status: 'True', ...why }, nowMs);
  write(context, job, {
    ...counts(tally),
    active: 0,
    ready: 0,
    startTime,
    completionTime: timestamp(nowMs),
    conditions,
  });
  context.events.as('job-controller').normal(job, 'Completed', 'Job completed');
  return expireAfter(job);
}

function stopAll({ deletion }: ControllerContext, { active }: Tally): Again {
  for (const { metadata } of active) {
    deletion.delete('pods', metadata.namespace, metadata.name, { uid: metadata.uid });
  }
  return undefined;
}

/** Pods that are missing start at once, after failures with a growing pause. */
function startMissing(
  context: ControllerContext,
  job: Job,
  { tally, wanted }: { tally: Tally; wanted: number },
): Again {
  const target = Math.min(job.spec.parallelism ?? 1, wanted - tally.succeeded);
  const missing = target - tally.active.length;
  if (missing <= 0) return undefined;
  const waitMs = pauseAfterFailures(context, tally.failed);
  if (waitMs > 0) return { afterMs: waitMs };
  for (let count = 0; count < missing; count += 1) {
    const draft = podFrom(withJobLabels(job), job, generatedName(`${job.metadata.name}-`));
    const pod = context.objects.create('pods', draft);
    context.events.as('job-controller').normal(job, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  }
  return undefined;
}

function withJobLabels(job: Job): Job['spec']['template'] {
  const { name, uid } = job.metadata;
  const own = {
    'batch.kubernetes.io/job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'job-name': name,
    'controller-uid': uid,
  };
  const { template } = job.spec;
  return {
    ...template,
    metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...own } },
  };
}

function pauseAfterFailures({ clock }: ControllerContext, failed: readonly Pod[]): number {
  if (failed.length === 0) return 0;
  const ends = failed.flatMap(({ status }) =>
    (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state.terminated?.finishedAt ?? '') || 0),
  );
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failed.length - 1), LAST_PAUSE_MS);
  return Math.max(0, Math.max(0, ...ends) + pauseMs - clock.now());
}

function deadlineAfter({ clock }: ControllerContext, job: Job, startTime: string): Again {
  const seconds = job.spec.activeDeadlineSeconds;
  return seconds === undefined
    ? undefined
    : { afterMs: Math.max(0, Date.parse(startTime) + seconds * 1000 - clock.now()) };
}

const expireAfter = ({ spec }: Job): Again =>
  spec.ttlSecondsAfterFinished === undefined ? undefined : { afterMs: spec.ttlSecondsAfterFinished * 1000 };

function expire({ clock, deletion }: ControllerContext, job: Job): Again {
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  if (seconds === undefined) return undefined;
  const finished = job.status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed');
  const leftMs = Date.parse(finished?.lastTransitionTime ?? '') + seconds * 1000 - clock.now();
  if (leftMs > 0) return { afterMs: leftMs };
  const { namespace, name, uid } = job.metadata;
  deletion.delete('jobs.batch', namespace, name, { uid, propagationPolicy: 'Foreground' });
  return undefined;
}
