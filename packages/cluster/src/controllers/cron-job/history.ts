import type { CronJob, Job } from '../../kinds/batch.ts';
import type { ControllerContext } from '../controller.ts';
import { finishedCondition } from '../job/finished.ts';

const KEPT_SUCCESSES = 3;
const KEPT_FAILURES = 1;

/** Deletes finished jobs beyond the limits, oldest first. */
export function trimHistory(context: ControllerContext, cron: CronJob, jobs: readonly Job[]): void {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec;
  trim(context, cron, ended(jobs, 'Complete'), successfulJobsHistoryLimit ?? KEPT_SUCCESSES);
  trim(context, cron, ended(jobs, 'Failed'), failedJobsHistoryLimit ?? KEPT_FAILURES);
}

const startOf = ({ status, metadata }: Job) => status?.startTime ?? metadata.creationTimestamp;

function ended(jobs: readonly Job[], how: 'Complete' | 'Failed'): Job[] {
  return jobs
    .filter((job) => finishedCondition(job)?.type === how && job.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
}

function trim(context: ControllerContext, cron: CronJob, jobs: readonly Job[], limit: number): void {
  for (const { metadata } of jobs.slice(0, Math.max(0, jobs.length - limit))) {
    const { namespace, name, uid } = metadata;
    context.deletion.delete('jobs.batch', namespace, name, { uid, propagationPolicy: 'Background' });
    context.events.as('cronjob-controller').normal(cron, 'SuccessfulDelete', `Deleted job ${name}`);
  }
}
