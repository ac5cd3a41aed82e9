import type { AllowFailure, Need, Retry, When } from '@updraft/gitlab-ci';

export type JobStatus =
  | 'created'
  | 'scheduled'
  | 'waiting_for_resource'
  | 'pending'
  | 'running'
  | 'success'
  | 'failed'
  | 'canceled'
  | 'skipped'
  | 'manual';

/** How a pipeline stands once nothing in it moves any more. */
export type EndStatus = 'success' | 'failed' | 'canceled' | 'skipped' | 'manual';

/** What the scheduler has to know of a job; a part of gitlab-ci's Job. */
export interface PlannedJob {
  readonly name: string;
  readonly stage: string;
  readonly when: When;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure;
  readonly needs: readonly Need[] | undefined;
  readonly retry: Retry;
}

/** GitLab's failure reasons that can happen here (`retry:when` names them). */
export type FailureReason =
  | 'script_failure'
  | 'job_execution_timeout'
  | 'runner_system_failure'
  | 'image_pull_failure'
  | 'canceled';

/** What is known of a job so far; survives the process in the run's record. */
export interface JobProgress {
  readonly status: JobStatus;
  /** 1 for the first try; 0 before it. */
  readonly attempt: number;
  readonly exitCode: number | undefined;
  /** It failed, and its failure is allowed: it counts as a success for those that wait. */
  readonly failureAllowed: boolean;
  /** Why it was skipped or failed, or what it waits for; one line for the user. */
  readonly reason: string | undefined;
  /** A manual job that someone has started. */
  readonly played: boolean;
}

export interface JobState extends JobProgress {
  readonly plan: PlannedJob;
}

export type SchedulerEvent =
  | { readonly type: 'start' }
  /** The dispatcher lets the job run. */
  | { readonly type: 'granted'; readonly job: string }
  /** Its resource group is taken; or no longer. */
  | { readonly type: 'waits'; readonly job: string }
  | { readonly type: 'queued'; readonly job: string }
  | { readonly type: 'passed'; readonly job: string }
  | {
      readonly type: 'failed';
      readonly job: string;
      readonly why: FailureReason;
      readonly exitCode: number | undefined;
      readonly reason: string;
    }
  | { readonly type: 'canceled'; readonly job: string }
  /** The pipeline that a job has started came to a stop there. */
  | {
      readonly type: 'mirrored';
      readonly job: string;
      readonly status: 'manual' | 'skipped';
      readonly reason: string;
    }
  | { readonly type: 'delayOver'; readonly job: string }
  /** Someone starts a manual or delayed job, or lets a manual job start when its turn comes. */
  | { readonly type: 'play'; readonly job: string }
  /** Runs a finished job once more, at once; those that were skipped after it get their turn again. */
  | { readonly type: 'retry'; readonly job: string }
  /** Runs everything again that failed, was canceled or was skipped, in its turn. */
  | { readonly type: 'retryAll' }
  | { readonly type: 'cancelJob'; readonly job: string }
  | { readonly type: 'cancel' };

export type SchedulerAction =
  /** The job may run: ask the dispatcher for a place. */
  | { readonly type: 'request'; readonly job: string }
  /** It may not any more. */
  | { readonly type: 'withdraw'; readonly job: string }
  | { readonly type: 'run'; readonly job: string; readonly attempt: number }
  | { readonly type: 'delay'; readonly job: string; readonly seconds: number }
  | { readonly type: 'interrupt'; readonly job: string }
  /** Nothing moves any more. */
  | { readonly type: 'finish'; readonly status: EndStatus };

export const isFinished = (status: JobStatus): boolean =>
  status === 'success' || status === 'failed' || status === 'canceled' || status === 'skipped';

export const isActive = (status: JobStatus): boolean =>
  status === 'pending' || status === 'running' || status === 'scheduled' || status === 'waiting_for_resource';
