import { describe, expect, test } from 'vitest';
import { Player, job, need } from './testing.ts';
import type { PlannedJob } from './state.ts';

const play = (jobs: PlannedJob[], fails: Record<string, number[]> = {}, slots = 2) =>
  new Player(jobs, { slots }).play(fails);

const manual: Partial<PlannedJob> = { when: 'manual' };
const optional: Partial<PlannedJob> = { when: 'manual', allowFailure: true };

describe('stages', () => {
  test('a stage waits for the whole stage before it', () => {
    const run = play([job('a', '1'), job('b', '1'), job('c', '2')]);
    expect(run.started).toEqual(['a', 'b', 'c']);
    expect(run.finished).toBe('success');
  });

  test('a failure skips what comes after and fails the pipeline', () => {
    const run = play([job('a', '1'), job('b', '2'), job('c', '3')], { a: [1] });
    expect(run.status).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' });
    expect(run.scheduler.job('c')?.reason).toBe('a failed');
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

  test('always and on_failure run after a failure, and look at all stages before', () => {
    const run = play(
      [
        job('a', '1'),
        job('b', '2', { when: 'always' }),
        job('c', '2', { when: 'on_failure' }),
        job('d', '3'),
        job('e', '3', { when: 'on_failure' }),
      ],
      { a: [1] },
    );
    expect(run.status).toEqual({ a: 'failed', b: 'success', c: 'success', d: 'skipped', e: 'success' });
    expect(run.finished).toBe('failed');
  });

  test('a stage in which every job was skipped holds nobody up', () => {
    const run = play([job('a', '1', { when: 'on_failure' }), job('b', '2')]);
    expect(run.status).toEqual({ a: 'skipped', b: 'success' });
  });
});

describe('needs', () => {
  test('a job starts when its own needs are met, whatever its stage still does', () => {
    const jobs = [job('slow', '1'), job('fast', '1'), job('next', '2', { needs: [need('slow')] })];
    expect(play(jobs).started.indexOf('next')).toBe(2);
  });

  test('needs: [] starts at once', () => {
    expect(play([job('a', '1'), job('b', '2', { needs: [] })]).started.slice(0, 2)).toEqual(['a', 'b']);
  });

  test('a skipped need skips the job', () => {
    const run = play(
      [job('a', '1'), job('b', '2', { needs: [need('a')] }), job('c', '3', { needs: [need('b')] })],
      { a: [1] },
    );
    expect(run.status).toEqual({ a: 'failed', b: 'skipped', c: 'skipped' });
  });

  test('an optional manual need that nobody has started skips the job, until somebody does', () => {
    const run = play([
      job('m', '1', optional),
      job('b', '2', { needs: [need('m')] }),
      job('c', '2'),
      job('d', '3', { needs: [need('b')] }),
    ]);
    expect(run.status).toEqual({ m: 'manual', b: 'skipped', c: 'success', d: 'skipped' });
    expect(run.scheduler.job('b')?.reason).toBe('waits for m, which nobody has started');
    expect(run.finished).toBe('success');
    run.handle({ type: 'play', job: 'm' });
    expect(run.play().status).toEqual({ m: 'success', b: 'success', c: 'success', d: 'success' });
    expect(run.started).toEqual(['c', 'm', 'b', 'd']);
  });

  test('a blocking manual need makes the job wait', () => {
    const run = play([job('m', '1', manual), job('b', '2', { needs: [need('m')] })]);
    expect(run.status).toEqual({ m: 'manual', b: 'created' });
    expect(run.scheduler.job('b')?.reason).toBe('waits for m');
    expect(run.finished).toBe('manual');
  });

  test('always waits for every need, though one was skipped', () => {
    const run = new Player([
      job('a', '1', { when: 'on_failure' }),
      job('b', '1'),
      job('c', '2', { when: 'always', needs: [need('a'), need('b')] }),
    ]);
    run.handle({ type: 'start' });
    expect(run.running).toEqual(['b']);
    expect(run.play().status['c']).toBe('success');
  });
});

describe('manual and delayed', () => {
  test('an optional manual job holds nothing up', () => {
    const run = play([job('m', '1', optional), job('b', '2')]);
    expect(run.status).toEqual({ m: 'manual', b: 'success' });
    expect(run.finished).toBe('success');
  });

  test('a blocking one does; started after the end, the rest follows in the same run', () => {
    const run = play([job('m', '1', manual), job('b', '2')]);
    expect(run.status).toEqual({ m: 'manual', b: 'created' });
    expect(run.finished).toBe('manual');
    run.handle({ type: 'play', job: 'm' });
    expect(run.play().status).toEqual({ m: 'success', b: 'success' });
    expect(run.ends).toEqual(['manual', 'success']);
  });

  test('played before its turn, it runs in its turn', () => {
    const run = new Player([job('a', '1'), job('m', '2', manual)]);
    run.handle({ type: 'play', job: 'm' });
    expect(run.play().started).toEqual(['a', 'm']);
  });

  test('a delayed job is scheduled, then runs; played, it runs at once', () => {
    const delayed = job('d', '1', { when: 'delayed', startInSeconds: 5 });
    const run = new Player([delayed]);
    run.handle({ type: 'start' });
    expect(run.status).toEqual({ d: 'scheduled' });
    expect(run.play().status).toEqual({ d: 'success' });
    const played = new Player([delayed]);
    played.handle({ type: 'start' });
    played.handle({ type: 'play', job: 'd' });
    expect(played.running).toEqual(['d']);
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

  test('a failed job that is run again brings those back that were skipped after it, and nothing else', () => {
    const run = play([job('a', '1'), job('x', '1'), job('b', '2'), job('c', '3')], { a: [1] });
    run.handle({ type: 'retry', job: 'a' });
    expect(run.play().status).toEqual({ a: 'success', x: 'success', b: 'success', c: 'success' });
    expect(run.started).toEqual(['a', 'x', 'a', 'b', 'c']);
    expect(run.scheduler.job('a')?.attempt).toBe(2);
  });

  test('everything that did not pass, in its turn', () => {
    const run = play([job('a', '1'), job('b', '2'), job('m', '2', manual)], { a: [1] });
    run.handle({ type: 'retryAll' });
    expect(run.play().status).toEqual({ a: 'success', b: 'success', m: 'manual' });
  });

  test('never more than the slots', () => {
    const many = Array.from({ length: 9 }, (_, index) => job(`j${index}`, '1'));
    expect(play(many, {}, 3).most).toBe(3);
  });

  test('one at a time of a resource', () => {
    const jobs = [job('a', '1'), job('b', '1'), job('c', '1')];
    const run = new Player(jobs, { slots: 4, resources: { a: 'g', b: 'g' } });
    run.handle({ type: 'start' });
    expect(run.status).toEqual({ a: 'running', b: 'waiting_for_resource', c: 'running' });
    run.end('a');
    expect(run.status['b']).toBe('running');
  });

  test('cancel interrupts what runs and cancels the rest, but for manual jobs', () => {
    const run = new Player([job('a', '1'), job('b', '2'), job('m', '1', manual)]);
    run.handle({ type: 'start' });
    run.handle({ type: 'cancel' });
    expect(run.status).toEqual({ a: 'canceled', b: 'canceled', m: 'manual' });
    expect(run.ends).toEqual(['canceled']);
  });

  test('one canceled job cancels the pipeline unless another has failed', () => {
    const run = new Player([job('a', '1'), job('x', '1'), job('b', '2')]);
    run.handle({ type: 'start' });
    run.handle({ type: 'cancelJob', job: 'a' });
    expect(run.play().status).toEqual({ a: 'canceled', x: 'success', b: 'skipped' });
    expect(run.finished).toBe('canceled');
  });
});
