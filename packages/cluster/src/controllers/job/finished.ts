import type { Job } from '../../kinds/batch.ts';
import type { Condition } from '../../kinds/meta.ts';

/** The condition that says the job is over, whichever way it went. */
export function finishedCondition(job: Job): Condition | undefined {
  return job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}
