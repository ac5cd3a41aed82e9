import type { Condition, LabelSelector, ObjectReference, Typed } from './meta.ts';
import type { PodTemplate } from './pod.ts';

export type ExitCodeRequirement = {
  containerName?: string;
  operator: 'In' | 'NotIn';
  values: number[];
};

export type PodFailureRule = {
  action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  onExitCodes?: ExitCodeRequirement;
  onPodConditions?: { type: string; status?: string }[];
};

export type SuccessRule = { succeededIndexes?: string; succeededCount?: number };

export type JobSpec = {
  parallelism?: number;
  completions?: number;
  backoffLimit?: number;
  backoffLimitPerIndex?: number;
  maxFailedIndexes?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  suspend?: boolean;
  completionMode?: 'NonIndexed' | 'Indexed';
  podFailurePolicy?: { rules: PodFailureRule[] };
  successPolicy?: { rules: SuccessRule[] };
  podReplacementPolicy?: 'TerminatingOrFailed' | 'Failed';
  managedBy?: string;
  manualSelector?: boolean;
  selector?: LabelSelector;
  template: PodTemplate;
};

export type JobStatus = {
  conditions?: Condition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  ready?: number;
  terminating?: number;
  succeeded?: number;
  failed?: number;
  /** Intervals of indexes: `0-2,5`. */
  completedIndexes?: string;
  failedIndexes?: string;
  uncountedTerminatedPods?: Record<string, string[]>;
};

export type Job = Typed<JobSpec, JobStatus>;

export type CronJobSpec = {
  schedule: string;
  timeZone?: string;
  suspend?: boolean;
  concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace';
  startingDeadlineSeconds?: number;
  successfulJobsHistoryLimit?: number;
  failedJobsHistoryLimit?: number;
  jobTemplate: {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: JobSpec;
  };
};

export type CronJobStatus = {
  active?: ObjectReference[];
  lastScheduleTime?: string;
  lastSuccessfulTime?: string;
};

export type CronJob = Typed<CronJobSpec, CronJobStatus>;
