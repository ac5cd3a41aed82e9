import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Fault, silentLogger, systemClock } from '@updraft/kit';
import type { CommitFacts, Job, Pipeline, Variable } from '@updraft/gitlab-ci';
import { createHostRuntime } from '@updraft/pods';
import type { Runtime } from '@updraft/pods';
import { executeJob } from '../execute.ts';
import type { Execution, JobConfig } from '../execution.ts';
import type { JobResult } from '../outcome.ts';
import { emptied } from '../trash.ts';
import type { ClusterSource, ResolvedImage } from '../../ports.ts';

/** A job that does nothing; tests say what theirs has beside. */
export const EMPTY_JOB: Job = {
  name: 'job',
  stage: 'test',
  position: { file: '.gitlab-ci.yml', line: 1, column: 1 },
  when: 'on_success',
  startInSeconds: undefined,
  allowFailure: false,
  needs: undefined,
  dependencies: undefined,
  image: undefined,
  services: [],
  beforeScript: [],
  script: [],
  afterScript: [],
  variables: [],
  artifacts: undefined,
  caches: [],
  environment: undefined,
  retry: { max: 0, when: [], exitCodes: [] },
  timeoutSeconds: undefined,
  interruptible: false,
  resourceGroup: undefined,
  tags: [],
  coverage: undefined,
  manualConfirmation: undefined,
};

const FACTS: CommitFacts = {
  sha: 'a'.repeat(40),
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
};

export interface Ran {
  readonly result: JobResult;
  /** All the job's log. */
  readonly log: string;
  /** The log without the echoed commands and the runner's own lines: what the script printed. */
  readonly printed: string;
  readonly outputDir: string;
}

export type Asked = Partial<Pick<Execution, 'signal' | 'incoming' | 'outputDir' | 'onLog' | 'hostShell'>> & {
  readonly pipelineVariables?: readonly Variable[];
  readonly projectVariables?: readonly Variable[];
  readonly facts?: Partial<CommitFacts>;
  readonly executor?: 'pods' | 'host';
};

/** Of a platform that is all there is. */
export const NO_CLUSTERS: ClusterSource = {
  variables: async () => [],
  runtime: () => Promise.reject(new Error('there are no other clusters here')),
  runtimes: () => [],
};

/** Runs single jobs, for tests: everything a runner needs, in a folder of its own. */
export interface JobBench {
  readonly dir: string;
  /** The commit's files; write here before a job runs. */
  readonly checkout: string;
  readonly config: JobConfig;
  run(job: Partial<Job>, asked?: Asked): Promise<Ran>;
  close(): Promise<void>;
}

export interface BenchOptions {
  /** Default: a runtime that starts nothing. */
  readonly runtime?: Runtime;
  /** Images by name. */
  readonly images?: Readonly<Record<string, ResolvedImage>>;
  /** The commit's files. */
  readonly files?: Readonly<Record<string, string>>;
  readonly config?: Partial<JobConfig>;
}

export async function openBench(options: BenchOptions = {}): Promise<JobBench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-job-'));
  const checkout = path.join(dir, 'checkout');
  await mkdir(checkout);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await mkdir(path.dirname(path.join(checkout, name)), { recursive: true });
    await writeFile(path.join(checkout, name), text);
  }
  const config = benchConfig(path.join(dir, 'state'), checkout, options);
  let jobs = 0;
  return {
    dir,
    checkout,
    config,
    async run(job, asked = {}) {
      jobs += 1;
      return runJob(config, { ...EMPTY_JOB, ...job }, { jobId: jobs, dir, ...asked });
    },
    async close() {
      await emptied();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function benchConfig(dir: string, checkout: string, options: BenchOptions): JobConfig {
  const hostRuntime = createHostRuntime({ clock: systemClock });
  return {
    dir,
    clock: systemClock,
    logger: silentLogger,
    runtime: options.runtime ?? hostRuntime,
    hostRuntime,
    images: {
      async resolve(reference) {
        const image = options.images?.[reference];
        if (!image) throw new Fault('IMAGE_NOT_FOUND', `there is no image ${reference}`);
        return image;
      },
    },
    tools: { attach: async () => ({ mounts: [], env: {}, close: async () => undefined }) },
    checkouts: { folder: async () => checkout },
    clusters: NO_CLUSTERS,
    gatewayPorts: [],
    ...options.config,
  };
}

async function runJob(
  config: JobConfig,
  job: Job,
  asked: Asked & { jobId: number; dir: string },
): Promise<Ran> {
  let log = '';
  const outputDir = asked.outputDir ?? path.join(asked.dir, 'output', String(asked.jobId));
  const pipeline: Pipeline = {
    name: undefined,
    stages: [job.stage],
    jobs: [job],
    variables: asked.pipelineVariables ?? [],
  };
  const result = await executeJob({
    config,
    input: {
      job,
      jobId: asked.jobId,
      runId: 1,
      request: {
        projectDir: '/project',
        facts: { ...FACTS, ...asked.facts },
        pipeline,
        source: 'push',
        play: [],
        projectVariables: asked.projectVariables ?? [],
        executor: asked.executor ?? 'pods',
      },
    },
    incoming: asked.incoming ?? { archives: [], dotenv: {} },
    outputDir,
    onLog: (text) => {
      log += text;
      asked.onLog?.(text);
    },
    signal: asked.signal ?? new AbortController().signal,
    ...(asked.hostShell === undefined ? {} : { hostShell: asked.hostShell }),
  });
  return { result, log, printed: printedIn(log), outputDir };
}

const printedIn = (log: string): string =>
  log
    .split('\n')
    .filter((line) => !/^(\$ |NOTE: |WARNING: |Using the image |Running after_script)/.test(line))
    .join('\n');
