import type { JobView } from '@updraft/control';
import type { Output } from '../output.ts';

/** The word for a job's state, in its colour. */
export function statusText(job: JobView, output: Output): string {
  switch (job.status) {
    case 'success':
      return output.style('green', 'passed');
    case 'failed':
      return job.allowFailure ? output.style('yellow', 'warning') : output.style('red', 'failed');
    case 'running':
      return output.style('cyan', 'running');
    case 'manual':
      return output.style('yellow', 'manual');
    case 'created':
      return output.style('dim', 'waiting');
    case 'waiting_for_resource':
      return output.style('dim', 'waiting');
    case 'scheduled':
      return output.style('dim', 'delayed');
    case 'skipped':
    case 'canceled':
    case 'pending':
      return output.style('dim', job.status);
  }
}
