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

/** What the scheduler has to know of a job; a part of gitlab-ci's Job. */
export interface PlannedJob {
  readonly name: string;
  readonly stage: string;
  readonly when: When;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure;
  readonly needs: readonly Need[] | undefined;
  readonly retry: Retry;
  readonly resourceGroup: string | undefined;
}

/** GitLab's failure reasons that can happen here (`retry:when` names them). */
export type FailureReason =
  | 'script_failure'
  | 'job_execution_timeout'
  | 'runner_system_failure'
  | 'image_pull_failure'
  | 'canceled';

export interface JobState {
  readonly plan: PlannedJob;
  readonly status: JobStatus;
  /** 1 for the first try; 0 before it. */
  readonly attempt: number;
  readonly exitCode: number | undefined;
  /** It failed, and its failure is allowed: it counts as a success for those that wait. */
  readonly failureAllowed: boolean;
  /** Why it was skipped or failed, one line for the user. */
  readonly reason: string | undefined;
  /** A manual job that someone has started. */
  readonly played: boolean;
}

/** Everything the scheduler knows of a pipeline in progress. Frozen: each event makes a new one. */
export interface SchedulerState {
  readonly stages: readonly string[];
  /** In the pipeline's order: by stage, then as written. */
  readonly jobs: readonly JobState[];
  /** Jobs that may run at once. */
  readonly slots: number;
  readonly canceling: boolean;
}

export type SchedulerEvent =
  | { readonly type: 'start' }
  | { readonly type: 'passed'; readonly job: string }
  | {
      readonly type: 'failed';
      readonly job: string;
      readonly why: FailureReason;
      readonly exitCode: number | undefined;
      readonly reason: string;
    }
  | { readonly type: 'canceled'; readonly job: string }
  | { readonly type: 'play'; readonly job: string }
  | { readonly type: 'delayOver'; readonly job: string }
  | { readonly type: 'resourceFree' }
  | { readonly type: 'cancel' };

export type SchedulerAction =
  | { readonly type: 'run'; readonly job: string; readonly attempt: number }
  | { readonly type: 'delay'; readonly job: string; readonly seconds: number }
  | { readonly type: 'interrupt'; readonly job: string }
  | { readonly type: 'finish'; readonly status: 'success' | 'failed' | 'canceled' | 'skipped' | 'manual' };

export function initialState(
  stages: readonly string[],
  jobs: readonly PlannedJob[],
  slots: number,
): SchedulerState {
  const inOrder = jobs.toSorted((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage));
  return {
    stages,
    slots,
    canceling: false,
    jobs: inOrder.map((plan) => ({
      plan,
      status: 'created',
      attempt: 0,
      exitCode: undefined,
      failureAllowed: false,
      reason: undefined,
      played: false,
    })),
  };
}

export const isFinished = (status: JobStatus): boolean =>
  status === 'success' || status === 'failed' || status === 'canceled' || status === 'skipped';

export const isActive = (status: JobStatus): boolean =>
  status === 'pending' || status === 'running' || status === 'scheduled' || status === 'waiting_for_resource';
