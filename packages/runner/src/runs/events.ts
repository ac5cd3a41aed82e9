import { messageOf } from '@updraft/kit';
import type { JobResult } from '../job/outcome.ts';
import type { SchedulerEvent } from '../scheduler/state.ts';

/** How a job ended, for the scheduler. */
export function eventOf(job: string, { outcome }: JobResult): SchedulerEvent {
  switch (outcome.kind) {
    case 'passed':
      return { type: 'passed', job };
    case 'canceled':
      return { type: 'canceled', job };
    case 'failed': {
      const { exitCode, reason } = outcome;
      return { type: 'failed', job, why: 'script_failure', exitCode, reason };
    }
    case 'timedOut': {
      const reason = `took longer than its timeout of ${outcome.afterSeconds} s`;
      return { type: 'failed', job, why: 'job_execution_timeout', exitCode: undefined, reason };
    }
    case 'couldNotRun':
      return {
        type: 'failed',
        job,
        why: outcome.why,
        exitCode: undefined,
        reason: firstLine(outcome.message),
      };
  }
}

/** Something failed before there was an outcome. */
export const couldNotStart = (job: string, error: unknown): SchedulerEvent => ({
  type: 'failed',
  job,
  why: 'runner_system_failure',
  exitCode: undefined,
  reason: firstLine(messageOf(error)),
});

/** The log has the whole message; the reason is one line. */
const firstLine = (message: string): string => message.split('\n')[0] ?? message;
