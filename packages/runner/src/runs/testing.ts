import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import type { CommitFacts, Job, Pipeline } from '@updraft/gitlab-ci';
import { createHostRuntime } from '@updraft/pods';
import { EMPTY_JOB, NO_CLUSTERS } from '../job/testing/bench.ts';
import type { ChildRequest, RunRequest } from '../ports.ts';
import { createRunner } from '../runner.ts';
import type { Runner } from '../runner.ts';
import type { PipelineRun } from './run.ts';
import type { RunRecord } from './record.ts';

const refuse = (): Promise<never> => Promise.reject(new Error('there are no images here'));

/** A runner of jobs on the host, in a folder of its own. */
export interface RunBench {
  readonly runner: Runner;
  readonly dir: string;
  /** As another process would, later. */
  restart(): Promise<void>;
  request(jobs: readonly Partial<Job>[], more?: Partial<RunRequest> & { sha?: string }): RunRequest;
  remove(): Promise<void>;
}

export async function createRunBench(
  children: (child: ChildRequest, bench: RunBench) => RunRequest = () => {
    throw new Error('no children here');
  },
): Promise<RunBench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-runs-'));
  const checkout = path.join(dir, 'checkout');
  await mkdir(checkout);
  await writeFile(path.join(checkout, 'committed.txt'), 'committed\n');
  const open = () =>
    createRunner({
      dir: path.join(dir, 'runner'),
      clock: systemClock,
      logger: silentLogger,
      runtime: createHostRuntime({ clock: systemClock }),
      hostRuntime: createHostRuntime({ clock: systemClock }),
      images: { resolve: refuse },
      tools: { attach: refuse },
      checkouts: { folder: async () => checkout },
      clusters: NO_CLUSTERS,
      children: { prepare: async (child) => children(child, bench) },
      slots: 4,
      gatewayPorts: [],
    });
  let runner = await open();
  const bench: RunBench = {
    dir,
    get runner() {
      return runner;
    },
    async restart() {
      runner.close();
      runner = await open();
    },
    request: (jobs, more = {}) => requestOf(dir, jobs, more),
    async remove() {
      for (const run of runner.active()) run.cancel();
      await Promise.all(runner.active().map((run) => run.settled()));
      runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return bench;
}

function requestOf(
  projectDir: string,
  jobs: readonly Partial<Job>[],
  { sha = 'a', ...more }: Partial<RunRequest> & { sha?: string },
): RunRequest {
  const whole = jobs.map((job): Job => ({ ...EMPTY_JOB, ...job }));
  const pipeline: Pipeline = {
    name: undefined,
    stages: [...new Set(whole.map((job) => job.stage))],
    jobs: whole,
    variables: [],
  };
  return {
    projectDir,
    facts: factsOf(sha.repeat(40)),
    pipeline,
    source: 'push',
    play: [],
    projectVariables: [],
    executor: 'host',
    ...more,
  };
}

const factsOf = (sha: string): CommitFacts => ({
  sha,
  beforeSha: '0'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: undefined,
  message: 'a commit',
  author: 'A <a@example.com>',
  timestamp: '2026-01-02T03:04:05+00:00',
  defaultBranch: 'main',
  projectName: 'project',
  projectPath: 'group/project',
  projectUrl: undefined,
  userName: 'A',
  userEmail: 'a@example.com',
  changedPaths: undefined,
});

export const statuses = ({ jobs }: RunRecord): Record<string, string> =>
  Object.fromEntries(jobs.map((job) => [job.name, job.status]));

/** Resolves when the job runs and has printed the text. */
export function printed(run: PipelineRun, job: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    let log = '';
    const stop = run.events.listen((event) => {
      if (event.type !== 'log' || event.job !== job) return;
      log += event.text;
      if (!log.includes(text)) return;
      stop();
      resolve();
    });
  });
}
