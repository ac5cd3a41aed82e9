import { isBlocking, readiness } from './readiness.ts';
import { isActive, isFinished } from './state.ts';
import type { FailureReason, JobState, SchedulerAction, SchedulerEvent, SchedulerState } from './state.ts';

export interface Decision {
  readonly state: SchedulerState;
  readonly actions: readonly SchedulerAction[];
}

/**
 * The scheduler: what to do now that `event` has happened. Pure. A job starts the moment its own needs are met and a
 * slot is free; there are no waves. `finish` comes exactly once, as the last action.
 */
export function decide(state: SchedulerState, event: SchedulerEvent): Decision {
  const actions: SchedulerAction[] = [];
  let next = applyEvent(state, event, actions);
  next = settle(next, actions);
  next = fillSlots(next, actions);
  return finishWhenDone(next, actions);
}

function applyEvent(
  state: SchedulerState,
  event: SchedulerEvent,
  actions: SchedulerAction[],
): SchedulerState {
  switch (event.type) {
    case 'start':
    case 'resourceFree':
      return state;
    case 'passed':
      return change(state, event.job, () => ({ status: 'success', exitCode: 0, reason: undefined }));
    case 'canceled':
      return change(state, event.job, () => ({ status: 'canceled', reason: 'canceled' }));
    case 'failed':
      return change(state, event.job, (job) => failed(state, job, event));
    case 'play':
      return change(state, event.job, (job) =>
        job.status === 'manual' ? { status: 'pending', played: true } : { played: true },
      );
    case 'delayOver':
      return change(state, event.job, (job) => (job.status === 'scheduled' ? { status: 'pending' } : {}));
    case 'cancel':
      return cancel(state, actions);
  }
}

function failed(
  state: SchedulerState,
  job: JobState,
  event: { why: FailureReason; exitCode: number | undefined; reason: string },
): Partial<JobState> {
  if (!state.canceling && mayRetry(job, event)) return { status: 'pending', reason: event.reason };
  return {
    status: 'failed',
    exitCode: event.exitCode,
    reason: event.reason,
    failureAllowed: isAllowed(job, event.exitCode),
  };
}

/** `retry:max` tries more, when the reason or the exit code is one of those named (no list: any failure). */
function mayRetry(job: JobState, event: { why: FailureReason; exitCode: number | undefined }): boolean {
  const { max, when, exitCodes } = job.plan.retry;
  if (job.attempt > max) return false;
  const anyReason = (when.length === 0 && exitCodes.length === 0) || when.includes('always');
  if (anyReason || when.includes(event.why)) return true;
  return event.exitCode !== undefined && exitCodes.includes(event.exitCode);
}

function isAllowed(job: JobState, exitCode: number | undefined): boolean {
  const { allowFailure } = job.plan;
  if (typeof allowFailure === 'boolean') return allowFailure;
  return exitCode !== undefined && allowFailure.exitCodes.includes(exitCode);
}

function cancel(state: SchedulerState, actions: SchedulerAction[]): SchedulerState {
  const jobs = state.jobs.map((job): JobState => {
    if (job.status === 'running') {
      actions.push({ type: 'interrupt', job: job.plan.name });
      return job;
    }
    return isFinished(job.status) ? job : { ...job, status: 'canceled', reason: 'canceled' };
  });
  return { ...state, jobs, canceling: true };
}

/** Moves every job whose turn has come (or never will) on from `created`, until nothing moves any more. */
function settle(state: SchedulerState, actions: SchedulerAction[]): SchedulerState {
  let current = state;
  for (;;) {
    const settled = settleOnce(current, actions);
    if (settled === current) return current;
    current = settled;
  }
}

function settleOnce(state: SchedulerState, actions: SchedulerAction[]): SchedulerState {
  for (const job of state.jobs) {
    if (job.status !== 'created') continue;
    const turn = turnOf(state, job);
    if (turn === undefined) continue;
    if (turn.status === 'scheduled') {
      actions.push({ type: 'delay', job: job.plan.name, seconds: job.plan.startInSeconds ?? 0 });
    }
    return change(state, job.plan.name, () => turn);
  }
  return state;
}

function turnOf(state: SchedulerState, job: JobState): Partial<JobState> | undefined {
  const { before, because } = readiness(state, job);
  if (before === 'waiting') return undefined;
  const { when } = job.plan;
  if (when === 'always') return { status: 'pending' };
  if (when === 'on_failure') {
    return before === 'failed'
      ? { status: 'pending' }
      : { status: 'skipped', reason: 'runs only after a failure, and nothing failed' };
  }
  if (before !== 'success') {
    return { status: 'skipped', reason: `${because} ${before === 'failed' ? 'failed' : 'did not run'}` };
  }
  if (when === 'manual' && !job.played) return { status: 'manual', reason: 'waits to be started by hand' };
  if (when === 'delayed') return { status: 'scheduled' };
  return { status: 'pending' };
}

function fillSlots(state: SchedulerState, actions: SchedulerAction[]): SchedulerState {
  let current = state;
  for (const { plan } of state.jobs) {
    const running = current.jobs.filter((job) => job.status === 'running');
    if (running.length >= current.slots || current.canceling) break;
    const job = find(current, plan.name);
    if (job.status !== 'pending' && job.status !== 'waiting_for_resource') continue;
    const group = plan.resourceGroup;
    const taken = group !== undefined && running.some((other) => other.plan.resourceGroup === group);
    if (taken) {
      current = change(current, plan.name, () => ({ status: 'waiting_for_resource' }));
      continue;
    }
    current = change(current, plan.name, () => ({ status: 'running', attempt: job.attempt + 1 }));
    actions.push({ type: 'run', job: plan.name, attempt: job.attempt + 1 });
  }
  return current;
}

function finishWhenDone(state: SchedulerState, actions: readonly SchedulerAction[]): Decision {
  if (state.jobs.some((job) => isActive(job.status))) return { state, actions };
  const status = pipelineStatus(state);
  return { state: skipUnreachable(state), actions: [...actions, { type: 'finish', status }] };
}

/** Jobs that wait for a manual job nobody played: the run is over for them. */
function skipUnreachable(state: SchedulerState): SchedulerState {
  const jobs = state.jobs.map((job): JobState => {
    if (job.status !== 'created') return job;
    const { because } = readiness(state, job);
    return { ...job, status: 'skipped', reason: `waits for ${because ?? 'a manual job'}` };
  });
  return { ...state, jobs };
}

function pipelineStatus(state: SchedulerState): 'success' | 'failed' | 'canceled' | 'skipped' | 'manual' {
  if (state.canceling || state.jobs.some((job) => job.status === 'canceled')) return 'canceled';
  if (state.jobs.some((job) => job.status === 'failed' && !job.failureAllowed)) return 'failed';
  if (state.jobs.some(isBlocking)) return 'manual';
  return state.jobs.some((job) => job.status === 'success' || job.status === 'failed')
    ? 'success'
    : 'skipped';
}

function find(state: SchedulerState, name: string): JobState {
  const job = state.jobs.find((candidate) => candidate.plan.name === name);
  if (!job) throw new Error(`the pipeline has no job ${name}`);
  return job;
}

function change(
  state: SchedulerState,
  name: string,
  how: (job: JobState) => Partial<JobState>,
): SchedulerState {
  const job = find(state, name);
  return { ...state, jobs: state.jobs.map((other) => (other === job ? { ...job, ...how(job) } : other)) };
}
