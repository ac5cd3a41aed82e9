import type { JobView, ProblemView, RunView } from './views.ts';

/**
 * What happens in a run and in the child pipelines it starts, in order; `run` says in which. A stream of these (one JSON object a line) is all a client
 * needs to draw it; it ends when all of them are over.
 */
export type RunEvent =
  | { readonly type: 'run'; readonly run: RunView }
  | { readonly type: 'problems'; readonly problems: readonly ProblemView[] }
  /** Something slow that is not a job: a stand-in image is being made, the cluster starts. */
  | {
      readonly type: 'progress';
      readonly what: string;
      readonly state: 'started' | 'done';
      readonly durationMs?: number;
    }
  | { readonly type: 'job'; readonly run: number; readonly job: JobView }
  /** A piece of a job's log, masked already. `seq` counts up within the job. */
  | {
      readonly type: 'log';
      readonly run: number;
      readonly job: string;
      readonly seq: number;
      readonly text: string;
    }
  | { readonly type: 'finished'; readonly run: RunView };
