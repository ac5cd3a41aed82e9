import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Artifacts, Job, TriggerRequest } from '@updraft/gitlab-ci';
import type { ChildRequest, RunRequest } from '../ports.ts';
import { createRunBench, printed, statuses } from './testing.ts';
import type { RunBench } from './testing.ts';

let bench: RunBench;
let children: (child: ChildRequest) => RunRequest;
beforeEach(async () => {
  bench = await createRunBench((child) => children(child));
});
afterEach(() => bench.remove());

const KEEP_OUT: Artifacts = {
  paths: ['out'],
  exclude: [],
  untracked: false,
  name: undefined,
  when: 'on_success',
  expireInSeconds: undefined,
  exposeAs: undefined,
  reports: { dotenv: ['out/env'] },
};
const build: Partial<Job> = {
  name: 'build',
  stage: '1',
  script: ['mkdir out', 'echo file > out/f', 'echo ANSWER=42 > out/env'],
  artifacts: KEEP_OUT,
};
const check: Partial<Job> = {
  name: 'check',
  stage: '2',
  script: ['test "$(cat out/f) $ANSWER" = "file 42"'],
};
const wait: Partial<Job> = { name: 'wait', stage: '1', script: ['echo begun', 'sleep 30'] };

async function run(request: RunRequest) {
  const started = bench.runner.create(request);
  started.start();
  return started.finished;
}

describe('a run that is over goes on', () => {
  test('in another process, with the artifacts and variables of the jobs that have passed', async () => {
    const gate: Partial<Job> = { ...check, name: 'gate', when: 'manual' };
    const before = await run(bench.request([build, gate, { ...check, stage: '3' }]));
    expect(statuses(before)).toEqual({ build: 'success', gate: 'manual', check: 'created' });
    expect(before.status).toBe('manual');
    await bench.restart();
    const again = bench.runner.open(before.id);
    again?.play(['gate'], [{ key: 'EXTRA', value: 'x', source: 'pipeline' }]);
    const after = await again?.finished;
    expect(after?.id).toBe(before.id);
    expect(after?.status, await bench.runner.runs.readLog(before.id, 'gate')).toBe('success');
    expect(bench.runner.runs.get(before.id)?.jobs.map((job) => job.attempt)).toEqual([1, 1, 1]);
  });

  test('a failed job that is run again keeps its log and brings back those after it', async () => {
    const flag = path.join(bench.dir, 'flag');
    const flaky: Partial<Job> = { name: 'flaky', stage: '1', script: [`test -e ${flag}`] };
    const before = await run(bench.request([flaky, { name: 'next', stage: '2', script: ['echo next'] }]));
    expect(statuses(before)).toEqual({ flaky: 'failed', next: 'skipped' });
    await writeFile(flag, '');
    const again = bench.runner.open(before.id);
    again?.retry([]);
    expect(statuses((await again?.finished) ?? before)).toEqual({ flaky: 'success', next: 'success' });
    const log = await bench.runner.runs.readLog(before.id, 'flaky');
    expect(log?.match(/\$ test -e/g)).toHaveLength(2);
    expect(log).toContain('--- attempt 2 ---');
  });

  test('a run that a dead process left is failed, and the half artifacts of what ran go', async () => {
    const going = bench.runner.create(
      bench.request([build, { ...wait, stage: '2' }, { ...check, stage: '3' }]),
    );
    const begun = printed(going, 'wait', 'begun');
    going.start();
    await begun;
    bench.runner.runs.flush();
    const half = path.join(bench.runner.runs.jobDir(going.id, 'wait'), 'artifacts.tar');
    await mkdir(path.dirname(half), { recursive: true });
    await writeFile(half, 'half');
    const [interrupted] = await bench.runner.runs.failInterrupted();
    expect(statuses(interrupted ?? going.record)).toEqual({
      build: 'success',
      wait: 'failed',
      check: 'skipped',
    });
    expect(interrupted?.jobs[1]?.reason).toBe('the daemon ended meanwhile');
    expect(existsSync(half)).toBe(false);
  });
});

describe('artifacts of jobs that are not part of the run', () => {
  test('come from the last run that has them, and the log says so', async () => {
    const whole = await run(bench.request([build, check]));
    const omitted = { stages: ['1', '2'], jobs: [{ name: 'build', stage: '1' }] };
    const alone = await run(bench.request([check], { omitted }));
    expect(alone.status).toBe('success');
    expect(await bench.runner.runs.readLog(alone.id, 'check')).toContain(
      `build is not part of this run: its artifacts are those of run ${whole.id} (main, aaaaaaaa)`,
    );
  });
});

describe('several runs at once', () => {
  test('one job of a resource group at a time, over all runs', async () => {
    const lock = path.join(bench.dir, 'lock');
    const alone: Partial<Job> = {
      name: 'deploy',
      resourceGroup: 'production',
      script: [`mkdir ${lock}`, 'sleep 0.2', `rmdir ${lock}`],
    };
    const seen: string[] = [];
    const runs = [1, 2, 3].map(() => bench.runner.create(bench.request([alone])));
    for (const each of runs) {
      each.events.listen((event) => void (event.type === 'job' && seen.push(event.job.status)));
      each.start();
    }
    const records = await Promise.all(runs.map((each) => each.finished));
    expect(records.map((each) => each.status)).toEqual(['success', 'success', 'success']);
    expect(seen).toContain('waiting_for_resource');
  });

  const interruptible = { ...wait, interruptible: true };

  test('a newer commit ends a run whose jobs may all be interrupted', async () => {
    const older = bench.runner.create(bench.request([interruptible, check], { autoCancel: true }));
    const begun = printed(older, 'wait', 'begun');
    older.start();
    await begun;
    bench.runner.create(bench.request([{ name: 'x' }], { autoCancel: true })).start();
    expect(older.record.status).toBe('running');
    bench.runner.create(bench.request([{ name: 'x' }], { autoCancel: true, sha: 'b' })).start();
    expect(statuses(await older.finished)).toEqual({ wait: 'canceled', check: 'canceled' });
  });

  test('and no run in which another job has begun, unless it wants that', async () => {
    const other = { ...wait, name: 'other' };
    const request = bench.request([interruptible, other], { autoCancel: true });
    const conservative = bench.runner.create(request);
    const autoCancel = { onNewCommit: 'interruptible', onJobFailure: 'none' } as const;
    const eager = bench.runner.create({ ...request, pipeline: { ...request.pipeline, autoCancel } });
    const begun = [conservative, eager].flatMap((each) => [
      printed(each, 'wait', 'begun'),
      printed(each, 'other', 'begun'),
    ]);
    for (const each of [conservative, eager]) each.start();
    await Promise.all(begun);
    bench.runner.create(bench.request([{ name: 'x' }], { autoCancel: true, sha: 'b' })).start();
    expect(statuses(conservative.record)).toEqual({ wait: 'running', other: 'running' });
    eager.cancel(['other']);
    expect(statuses(await eager.finished)).toEqual({ wait: 'canceled', other: 'canceled' });
    conservative.cancel();
  });

  test('on_job_failure: all ends the rest', async () => {
    const request = bench.request([wait, { name: 'bad', stage: '1', script: ['sleep 0.3; exit 1'] }]);
    const autoCancel = { onNewCommit: 'conservative', onJobFailure: 'all' } as const;
    const record = await run({ ...request, pipeline: { ...request.pipeline, autoCancel } });
    expect(statuses(record)).toEqual({ wait: 'canceled', bad: 'failed' });
    expect(record.status).toBe('failed');
  });
});

describe('child pipelines', () => {
  const trigger = (strategy: TriggerRequest['strategy']): TriggerRequest => ({
    target: { kind: 'child', includes: [] },
    strategy,
    forwardYamlVariables: true,
    forwardPipelineVariables: false,
  });
  const bridge: Partial<Job> = {
    name: 'bridge',
    stage: '2',
    trigger: trigger('depend'),
    variables: [
      { key: 'PARENT', value: '$CI_PIPELINE_ID', source: 'job' },
      { key: 'GIVEN', value: 'by a person', source: 'pipeline' },
    ],
  };
  const last: Partial<Job> = { name: 'last', stage: '3', script: ['true'] };

  test('get what is forwarded and the artifacts of their parent’s jobs; what happens there is heard here', async () => {
    let given: ChildRequest | undefined;
    children = (child) => {
      given = child;
      const foreignNeeds = [
        {
          kind: 'pipeline' as const,
          source: '$PARENT',
          job: 'build',
          ref: undefined,
          artifacts: true,
          optional: false,
          position: { file: 'x', line: 1, column: 1 },
        },
      ];
      const inside = { ...check, needs: [], foreignNeeds, variables: [...child.variables] };
      return bench.request([inside], { source: 'parent_pipeline' });
    };
    const parent = bench.runner.create(bench.request([build, bridge, last]));
    const heard = new Set<number>();
    parent.events.listen((event) => void (event.type === 'job' && heard.add(event.run)));
    parent.start();
    const record = await parent.finished;
    expect(statuses(record)).toEqual({ build: 'success', bridge: 'success', last: 'success' });
    expect(given?.variables.map(({ key, value }) => [key, value])).toEqual([['PARENT', String(record.id)]]);
    expect(heard).toEqual(new Set([record.id, record.id + 1]));
    expect(bench.runner.runs.get(record.id + 1)?.parent).toEqual({ run: record.id, job: 'bridge' });
  });

  test('a blocked child blocks the job that waits for it; played, both go on', async () => {
    children = () => bench.request([{ name: 'gate', when: 'manual', script: ['true'] }]);
    const before = await run(bench.request([{ ...bridge, stage: '1' }, last]));
    expect(statuses(before)).toEqual({ bridge: 'manual', last: 'created' });
    const child = bench.runner.open(before.id + 1);
    child?.play(['gate']);
    await child?.parent?.settled();
    expect(statuses(bench.runner.runs.get(before.id) ?? before)).toEqual({
      bridge: 'success',
      last: 'success',
    });
    expect(bench.runner.runs.list()).toHaveLength(2);
  });

  test('end with their parent, waited for or not', async () => {
    children = () => bench.request([wait]);
    const loose = { ...bridge, name: 'loose', stage: '1', trigger: trigger(undefined) };
    const parent = bench.runner.create(bench.request([loose, { ...bridge, stage: '1' }]));
    const both = new Promise<void>((resolve) => {
      const begun = new Set<number>();
      parent.events.listen((event) => {
        if (event.type === 'log' && event.text.includes('begun')) begun.add(event.run);
        if (begun.size === 2) resolve();
      });
    });
    parent.start();
    await both;
    parent.cancel();
    await parent.settled();
    expect(statuses(parent.record)).toEqual({ loose: 'success', bridge: 'canceled' });
    expect(bench.runner.active()).toEqual([]);
  });

  test('do not nest without end, and other projects cannot be started: one line says so', async () => {
    children = () => bench.request([{ ...bridge, stage: '1' }]);
    const record = await run(bench.request([{ ...bridge, stage: '1' }]));
    expect(record.status).toBe('failed');
    const deepest = bench.runner.runs.list()[0];
    expect(deepest?.jobs[0]?.reason).toBe('child pipelines may nest 2 deep, this would be one more');
    const other = { kind: 'project', project: 'group/other', branch: undefined } as const;
    const refused = await run(
      bench.request([
        { name: 'other', allowFailure: true, trigger: { ...trigger('depend'), target: other } },
      ]),
    );
    expect(refused.status).toBe('success');
    expect(refused.jobs[0]?.reason).toContain('group/other');
  });
});

describe('a shell in a job', () => {
  async function shell(id: number, job: string, command: readonly string[], input = '') {
    let text = '';
    const stdin = new PassThrough();
    stdin.end(input);
    const hear = (chunk: Buffer) => void (text += String(chunk));
    const session = await bench.runner.shell(
      { run: id, job },
      { stdin, onStdout: hear, onStderr: () => undefined, terminal: undefined, command },
      new AbortController().signal,
    );
    return { code: await session.ended, text, resumed: session.resumed };
  }

  test('has the files that a failed job left, and keeps what is done to them', async () => {
    const bad: Partial<Job> = {
      name: 'bad',
      script: ['echo left > left.txt', 'false'],
      variables: [{ key: 'TOLD', value: 'a job', source: 'job' }],
    };
    const { id } = await run(bench.request([bad]));
    const first = await shell(id, 'bad', [
      'sh',
      '-c',
      'cat left.txt; echo $TOLD; echo more >> left.txt; exit 7',
    ]);
    expect(first).toEqual({ code: 7, text: 'left\na job\n', resumed: true });
    const second = await shell(id, 'bad', [], 'cat left.txt committed.txt\nexit 4\n');
    expect(second).toEqual({ code: 4, text: 'left\nmore\ncommitted\n', resumed: true });
    expect(await readFile(path.join(bench.dir, 'checkout/committed.txt'), 'utf8')).toBe('committed\n');
  });

  test('of a job that has passed: the files as it found them', async () => {
    const { id } = await run(bench.request([build, check]));
    expect(await shell(id, 'check', ['cat', 'out/f'])).toEqual({ code: 0, text: 'file\n', resumed: false });
    await expect(shell(id, 'nobody', ['true'])).rejects.toThrow('has no job nobody');
  });
});

test('sweeping leaves the newest runs, and those that go on', async () => {
  const old = await run(bench.request([build]));
  const going = bench.runner.create(bench.request([wait]));
  going.start();
  const newest = await run(bench.request([build]));
  await mkdir(path.join(bench.runner.runs.dir, 'stray'), { recursive: true });
  expect((await bench.runner.sweep(1)).runs).toBe(1);
  expect(await bench.runner.runs.artifacts(old.id, 'build', undefined)).toEqual([]);
  expect(bench.runner.open(old.id)).toBeUndefined();
  expect(await bench.runner.runs.artifacts(newest.id, 'build', undefined)).toContain('out/f');
  expect(bench.runner.open(going.id)).toBe(going);
  going.cancel();
});
