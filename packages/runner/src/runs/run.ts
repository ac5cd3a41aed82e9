import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Emitter } from '@updraft/kit';
import type { Job } from '@updraft/gitlab-ci';
import { ARCHIVE } from '../job/artifacts.ts';
import type { IncomingArtifacts } from '../job/artifacts.ts';
import { executeJob } from '../job/execute.ts';
import { exists } from '../job/files.ts';
import type { JobResult } from '../job/outcome.ts';
import { decide } from '../scheduler/decide.ts';
import { initialState } from '../scheduler/state.ts';
import type { JobState, SchedulerAction, SchedulerEvent, SchedulerState } from '../scheduler/state.ts';
import { recordDeployment } from '../environments/deployment.ts';
import type { EnvironmentStore } from '../environments/store.ts';
import type { RunRequest, RunnerConfig } from '../ports.ts';
import type { JobRecord, RunRecord, RunStatus, RunnerEvent } from './record.ts';
import type { RunStore } from './store.ts';

export interface RunContext {
  readonly config: RunnerConfig;
  readonly runs: RunStore;
  readonly environments: EnvironmentStore;
}

interface JobFacts {
  readonly startedAt: number | undefined;
  readonly durationMs: number | undefined;
  readonly result: JobResult | undefined;
}

/** One run of a pipeline: feeds the scheduler with what happens and does what it decides. */
export class PipelineRun {
  readonly events = new Emitter<RunnerEvent>();
  readonly finished: Promise<RunRecord>;
  readonly #context: RunContext;
  readonly #request: RunRequest;
  readonly #abort = new Map<string, AbortController>();
  readonly #facts = new Map<string, JobFacts>();
  readonly #sequence = new Map<string, number>();
  readonly #startedAt: number;
  #finish: (run: RunRecord) => void = () => undefined;
  #state: SchedulerState;
  #record: RunRecord;

  constructor(context: RunContext, request: RunRequest) {
    this.#context = context;
    this.#request = request;
    this.#startedAt = context.config.clock.elapsed();
    this.#state = initialState(request.pipeline.stages, request.pipeline.jobs, context.config.slots);
    const { facts } = request;
    this.#record = context.runs.create({
      projectDir: request.projectDir,
      project: facts.projectPath,
      ref: facts.tag ?? facts.branch ?? facts.sha,
      sha: facts.sha,
      title: facts.message.split('\n')[0] ?? '',
      source: request.source,
      status: 'running',
      createdAt: context.config.clock.now(),
      durationMs: undefined,
      stages: request.pipeline.stages,
      jobs: this.#jobRecords(),
    });
    this.finished = new Promise((resolve) => (this.#finish = resolve));
  }

  get record(): RunRecord {
    return this.#record;
  }

  start(): void {
    this.events.emit({ type: 'run', run: this.#record });
    for (const job of this.#request.play) this.#dispatch({ type: 'play', job });
    this.#dispatch({ type: 'start' });
  }

  cancel(): void {
    if (this.#record.status === 'running' && !this.#state.canceling) this.#dispatch({ type: 'cancel' });
  }

  #dispatch(event: SchedulerEvent): void {
    const before = this.#state;
    const { state, actions } = decide(before, event);
    this.#state = state;
    this.#record = { ...this.#record, jobs: this.#jobRecords() };
    this.#context.runs.save(this.#record);
    for (const [index, job] of state.jobs.entries()) {
      const record = this.#record.jobs[index];
      if (before.jobs[index] !== job && record) this.events.emit({ type: 'job', job: record });
    }
    for (const action of actions) this.#do(action);
  }

  #do(action: SchedulerAction): void {
    const { clock } = this.#context.config;
    switch (action.type) {
      case 'run':
        void this.#run(action.job);
        break;
      case 'delay':
        clock.timer(action.seconds * 1000, () => this.#dispatch({ type: 'delayOver', job: action.job }));
        break;
      case 'interrupt':
        this.#abort.get(action.job)?.abort(new Error('canceled'));
        break;
      case 'finish':
        this.#end(action.status);
        break;
    }
  }

  async #run(name: string): Promise<void> {
    const { config, runs } = this.#context;
    const job = this.#job(name);
    const controller = new AbortController();
    this.#abort.set(name, controller);
    const outputDir = runs.jobDir(this.#record.id, name);
    this.#facts.set(name, { startedAt: config.clock.now(), durationMs: undefined, result: undefined });
    const started = config.clock.elapsed();
    await rm(outputDir, { recursive: true, force: true });
    const result = await executeJob({
      config,
      input: { job, jobId: runs.nextJobId(), request: this.#request, runId: this.#record.id },
      incoming: await this.#incoming(job),
      outputDir,
      onLog: (text) => this.#log(name, text),
      signal: controller.signal,
    });
    this.#abort.delete(name);
    const startedAt = this.#facts.get(name)?.startedAt;
    this.#facts.set(name, { startedAt, durationMs: config.clock.elapsed() - started, result });
    if (result.outcome.kind === 'passed') {
      recordDeployment(this.#context, this.#request, { job, result, runId: this.#record.id });
    }
    this.#dispatch(eventOf(name, result));
  }

  #log(job: string, text: string): void {
    const seq = this.#sequence.get(job) ?? 0;
    this.#sequence.set(job, seq + 1);
    this.events.emit({ type: 'log', job, seq, text });
    void this.#context.runs.appendLog(this.#record.id, job, text).catch((error: unknown) => {
      this.#context.config.logger.log('error', 'a job’s log could not be kept', { job, error });
    });
  }

  /** Artifacts of earlier stages, or of needs and dependencies when the job names them; in stage order. */
  async #incoming(job: Job): Promise<IncomingArtifacts> {
    const { stages } = this.#request.pipeline;
    const wanted = (other: Job): boolean => {
      if (job.needs) {
        const need = job.needs.find((candidate) => candidate.job === other.name);
        if (!need?.artifacts) return false;
      } else if (stages.indexOf(other.stage) >= stages.indexOf(job.stage)) return false;
      return job.dependencies === undefined || job.dependencies.includes(other.name);
    };
    const archives: { job: string; file: string }[] = [];
    let dotenv: Record<string, string> = {};
    for (const { plan } of this.#state.jobs) {
      const other = this.#job(plan.name);
      if (!wanted(other)) continue;
      const file = path.join(this.#context.runs.jobDir(this.#record.id, other.name), ARCHIVE);
      if (await exists(file)) archives.push({ job: other.name, file });
      dotenv = { ...dotenv, ...this.#facts.get(other.name)?.result?.dotenv };
    }
    return { archives, dotenv };
  }

  #end(status: RunStatus): void {
    const durationMs = this.#context.config.clock.elapsed() - this.#startedAt;
    this.#record = { ...this.#record, status, durationMs, jobs: this.#jobRecords() };
    this.#context.runs.save(this.#record);
    this.events.emit({ type: 'finished', run: this.#record });
    this.#finish(this.#record);
    void this.#context.runs.forgetOld(this.#record.id);
  }

  #job(name: string): Job {
    const job = this.#request.pipeline.jobs.find((candidate) => candidate.name === name);
    if (!job) throw new Error(`the pipeline has no job ${name}`);
    return job;
  }

  #jobRecords(): readonly JobRecord[] {
    return this.#state.jobs.map((job) => this.#jobRecord(job));
  }

  #jobRecord(state: JobState): JobRecord {
    const { plan } = state;
    const facts = this.#facts.get(plan.name);
    const allowed = typeof plan.allowFailure === 'boolean' ? plan.allowFailure : false;
    return {
      name: plan.name,
      stage: plan.stage,
      status: state.status,
      allowFailure: state.status === 'failed' ? state.failureAllowed : allowed,
      reason: state.reason,
      exitCode: state.exitCode,
      startedAt: facts?.startedAt,
      durationMs: facts?.durationMs,
      coverage: facts?.result?.coverage,
      environment: this.#job(plan.name).environment?.name,
      attempt: state.attempt,
      notes: facts?.result?.notes ?? [],
    };
  }
}

function eventOf(job: string, { outcome }: JobResult): SchedulerEvent {
  switch (outcome.kind) {
    case 'passed':
      return { type: 'passed', job };
    case 'canceled':
      return { type: 'canceled', job };
    case 'failed': {
      const { exitCode, reason } = outcome;
      return { type: 'failed', job, why: 'script_failure', exitCode, reason };
    }
    case 'timedOut': {
      const reason = `took longer than its timeout of ${outcome.afterSeconds} s`;
      return { type: 'failed', job, why: 'job_execution_timeout', exitCode: undefined, reason };
    }
    case 'couldNotRun': {
      // The log has the whole message; the reason is one line.
      const reason = outcome.message.split('\n')[0] ?? outcome.message;
      return { type: 'failed', job, why: outcome.why, exitCode: undefined, reason };
    }
  }
}
