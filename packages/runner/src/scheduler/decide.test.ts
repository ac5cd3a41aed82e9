import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { decide } from './decide.ts';
import { initialState } from './state.ts';
import type { PlannedJob, SchedulerAction, SchedulerEvent, SchedulerState } from './state.ts';

const job = (name: string, stage: string, more: Partial<PlannedJob> = {}): PlannedJob => ({
  name,
  stage,
  when: 'on_success',
  startInSeconds: undefined,
  allowFailure: false,
  needs: undefined,
  retry: { max: 0, when: [], exitCodes: [] },
  resourceGroup: undefined,
  ...more,
});
const need = (name: string) => ({ job: name, artifacts: true, optional: false });

/** Plays a pipeline to its end; `fails` maps a job to its exit codes, one for each try. */
function play(jobs: PlannedJob[], fails: Record<string, number[]> = {}, slots = 2) {
  const stages = [...new Set(jobs.map((each) => each.stage))];
  const started: string[] = [];
  let state = initialState(stages, jobs, slots);
  let finished: string | undefined;
  let most = 0;
  const queue: SchedulerEvent[] = [{ type: 'start' }];
  const running: string[] = [];
  const handle = (action: SchedulerAction) => {
    if (action.type === 'run') {
      started.push(action.job);
      running.push(action.job);
      most = Math.max(most, running.length);
    }
    if (action.type === 'delay') queue.push({ type: 'delayOver', job: action.job });
    if (action.type === 'finish') finished = action.status;
  };
  while (finished === undefined) {
    const event = queue.shift() ?? endOf(running.shift(), fails);
    const decision = decide(state, event);
    state = decision.state;
    for (const action of decision.actions) handle(action);
  }
  return { started, finished, most, status: statusOf(state) };
}

function endOf(name: string | undefined, fails: Record<string, number[]>): SchedulerEvent {
  if (name === undefined) throw new Error('nothing runs and nothing finished');
  const code = fails[name]?.shift();
  if (code === undefined) return { type: 'passed', job: name };
  return { type: 'failed', job: name, why: 'script_failure', exitCode: code, reason: `exit code ${code}` };
}

const statusOf = (state: SchedulerState) =>
  Object.fromEntries(state.jobs.map((each) => [each.plan.name, each.status]));

describe('stages', () => {
  test('a stage waits for the whole stage before it', () => {
    const run = play([job('a', '1'), job('b', '1'), job('c', '2')]);
    expect(run.started).toEqual(['a', 'b', 'c']);
    expect(run.finished).toBe('success');
  });

  test('a failure skips what comes after and fails the pipeline', () => {
    const run = play([job('a', '1'), job('b', '2'), job('c', '3')], { a: [1] });
    expect(run.status).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' });
    expect(run.finished).toBe('failed');
  });

  test('an allowed failure counts as a success, also for on_failure', () => {
    const run = play(
      [
        job('a', '1', { allowFailure: { exitCodes: [77] } }),
        job('b', '2'),
        job('c', '2', { when: 'on_failure' }),
      ],
      { a: [77] },
    );
    expect(run.status).toEqual({ a: 'failed', b: 'success', c: 'skipped' });
    expect(run.finished).toBe('success');
  });

  test('an exit code that is not on the list is no allowed failure', () => {
    const run = play([job('a', '1', { allowFailure: { exitCodes: [77] } })], { a: [1] });
    expect(run.finished).toBe('failed');
  });

  test('always and on_failure run after a failure', () => {
    const run = play(
      [job('a', '1'), job('b', '2', { when: 'always' }), job('c', '2', { when: 'on_failure' })],
      { a: [1] },
    );
    expect(run.status).toEqual({ a: 'failed', b: 'success', c: 'success' });
    expect(run.finished).toBe('failed');
  });
});

describe('needs', () => {
  test('a job starts when its own needs are met, whatever its stage still does', () => {
    const run = play(
      [job('slow', '1'), job('fast', '1'), job('next', '2', { needs: [need('slow')] })],
      {},
      2,
    );
    expect(run.started.indexOf('next')).toBe(2);
  });

  test('needs: [] starts at once', () => {
    expect(play([job('a', '1'), job('b', '2', { needs: [] })], {}, 2).started.slice(0, 2)).toEqual([
      'a',
      'b',
    ]);
  });

  test('a skipped need skips the job', () => {
    const run = play(
      [job('a', '1'), job('b', '2', { needs: [need('a')] }), job('c', '3', { needs: [need('b')] })],
      { a: [1] },
    );
    expect(run.status).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' });
  });

  test('a need that waits to be played holds its dependents, and the run ends', () => {
    const run = play([
      job('m', '1', { when: 'manual', allowFailure: true }),
      job('b', '2', { needs: [need('m')] }),
      job('c', '2'),
    ]);
    expect(run.status).toEqual({ m: 'manual', b: 'skipped', c: 'success' });
    expect(run.finished).toBe('success');
  });
});

describe('manual and delayed', () => {
  test('an optional manual job holds nothing up', () => {
    const run = play([job('m', '1', { when: 'manual', allowFailure: true }), job('b', '2')]);
    expect(run.status).toEqual({ m: 'manual', b: 'success' });
    expect(run.finished).toBe('success');
  });

  test('a blocking one does', () => {
    const run = play([job('m', '1', { when: 'manual' }), job('b', '2')]);
    expect(run.status).toEqual({ m: 'manual', b: 'skipped' });
    expect(run.finished).toBe('manual');
  });

  test('played before its turn, it runs in its turn', () => {
    let { state } = {
      state: initialState(['1', '2'], [job('a', '1'), job('m', '2', { when: 'manual' })], 2),
    };
    state = decide(state, { type: 'play', job: 'm' }).state;
    const decision = decide(state, { type: 'passed', job: 'a' });
    expect(decision.actions).toContainEqual({ type: 'run', job: 'm', attempt: 1 });
  });

  test('a delayed job is scheduled, then runs', () => {
    expect(play([job('d', '1', { when: 'delayed', startInSeconds: 5 })]).status).toEqual({ d: 'success' });
  });
});

describe('retry, slots, groups, cancel', () => {
  test('retries up to max more times', () => {
    const retry = { max: 2, when: [], exitCodes: [] };
    expect(play([job('a', '1', { retry })], { a: [1, 1] }).started).toEqual(['a', 'a', 'a']);
    expect(play([job('a', '1', { retry })], { a: [1, 1, 1] }).finished).toBe('failed');
  });

  test('retries only for the reasons and exit codes named', () => {
    const onTimeout = { max: 1, when: ['job_execution_timeout'], exitCodes: [] };
    expect(play([job('a', '1', { retry: onTimeout })], { a: [1] }).started).toEqual(['a']);
    const onCode = { max: 1, when: ['job_execution_timeout'], exitCodes: [7] };
    expect(play([job('a', '1', { retry: onCode })], { a: [7] }).started).toEqual(['a', 'a']);
  });

  test('never more than the slots', () => {
    const many = Array.from({ length: 9 }, (_, index) => job(`j${index}`, '1'));
    expect(play(many, {}, 3).most).toBe(3);
  });

  test('one at a time in a resource group', () => {
    const run = play([job('a', '1', { resourceGroup: 'g' }), job('b', '1', { resourceGroup: 'g' })], {}, 4);
    expect(run.most).toBe(1);
  });

  test('cancel interrupts what runs and cancels the rest', () => {
    const begun = decide(initialState(['1', '2'], [job('a', '1'), job('b', '2')], 2), { type: 'start' });
    const canceled = decide(begun.state, { type: 'cancel' });
    expect(canceled.actions).toEqual([{ type: 'interrupt', job: 'a' }]);
    const over = decide(canceled.state, { type: 'canceled', job: 'a' });
    expect(over.actions).toEqual([{ type: 'finish', status: 'canceled' }]);
  });
});

test('every pipeline ends, and every job in a final state', () => {
  const anyJob = fc.record({
    stage: fc.constantFrom('1', '2', '3'),
    when: fc.constantFrom('on_success', 'on_failure', 'always', 'manual', 'delayed' as const),
    allowFailure: fc.boolean(),
    needsBefore: fc.option(fc.array(fc.nat(5), { maxLength: 3 }), { nil: undefined }),
    fails: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(anyJob, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 3 }),
      (plans, slots) => {
        const fails: Record<string, number[]> = {};
        const jobs = plans.map((plan, index) => {
          if (plan.fails) fails[`j${index}`] = [1];
          const needs = plan.needsBefore?.filter((other) => other < index).map((other) => need(`j${other}`));
          return job(`j${index}`, plan.stage, { when: plan.when, allowFailure: plan.allowFailure, needs });
        });
        const run = play(jobs, fails, slots);
        for (const status of Object.values(run.status)) {
          expect(['success', 'failed', 'skipped', 'manual']).toContain(status);
        }
        expect(run.most).toBeLessThanOrEqual(slots);
      },
    ),
  );
});
