import { Emitter } from '@updraft/kit';
import type { Job, Variable } from '@updraft/gitlab-ci';
import { executeJob } from '../job/execute.ts';
import { recordDeployment } from '../environments/deployment.ts';
import type { EnvironmentStore } from '../environments/store.ts';
import type { RunRequest, RunnerConfig } from '../ports.ts';
import type { Dispatcher, Lease } from '../scheduler/dispatcher.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { isFinished } from '../scheduler/state.ts';
import type { EndStatus, JobState, SchedulerAction, SchedulerEvent } from '../scheduler/state.ts';
import { bridgeValues, runBridge } from './bridge.ts';
import { couldNotStart, eventOf } from './events.ts';
import { incomingFor } from './incoming.ts';
import { JobBook, newRecord } from './job-book.ts';
import type { JobMemory, RunRecord, RunnerEvent } from './record.ts';
import { keptDir } from './shell.ts';
import type { RunStore } from './store.ts';

export interface RunContext {
  readonly config: RunnerConfig;
  readonly runs: RunStore;
  readonly environments: EnvironmentStore;
  readonly dispatcher: Dispatcher;
  /** Makes a child's run. */
  readonly launch: (request: RunRequest, parent: PipelineRun, job: string) => PipelineRun;
}

/** What an earlier daemon, or this one, has kept of a run that is over. */
export interface Reopened {
  readonly record: RunRecord;
  readonly memories: ReadonlyMap<string, JobMemory>;
}

export interface RunOrigin {
  readonly parent?: { readonly run: PipelineRun; readonly job: string };
  readonly reopened?: Reopened;
}

/**
 * One run of a pipeline: feeds the scheduler with what happens and does what it decides. A run that is over is opened
 * again as a new object with the same record.
 */
export class PipelineRun {
  /** Of this run and of its children. */
  readonly events = new Emitter<RunnerEvent>();
  /** Nothing moves in it any more; children without a strategy may. */
  readonly finished: Promise<RunRecord>;
  /** The run whose job waits for this one, or has started it. */
  readonly parent: PipelineRun | undefined;
  readonly request: RunRequest;
  readonly #context: RunContext;
  readonly #scheduler: Scheduler;
  readonly #book: JobBook;
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #abort = new Map<string, AbortController>();
  readonly #leases = new Map<string, Lease>();
  readonly #timers = new Set<() => void>();
  readonly #children: PipelineRun[] = [];
  /** Runs that were opened again, for the jobs that wait for them. */
  readonly #followed = new Map<string, PipelineRun>();
  readonly #given = new Map<string, readonly Variable[]>();
  readonly #queue: SchedulerEvent[] = [];
  readonly #startedAt: number;
  readonly #workedBeforeMs: number;
  #busy = false;
  #finish: (run: RunRecord) => void = () => undefined;
  #run: RunRecord;
  #isOver = false;

  constructor(context: RunContext, request: RunRequest, origin: RunOrigin = {}) {
    const { reopened, parent } = origin;
    this.#context = context;
    this.request = request;
    this.parent = parent?.run;
    this.#startedAt = context.config.clock.elapsed();
    this.#workedBeforeMs = reopened?.record.durationMs ?? 0;
    this.#jobs = new Map(request.pipeline.jobs.map((job) => [job.name, job]));
    this.#book = new JobBook(this.#jobs, reopened);
    const { stages, jobs } = request.pipeline;
    this.#scheduler = new Scheduler(stages, jobs, reopened && this.#book.progress());
    const record = reopened
      ? { ...reopened.record, status: 'running' as const }
      : newRecord(
          request,
          context.config.clock.now(),
          parent && { run: parent.run.record.id, job: parent.job },
        );
    this.#run = reopened ? (record as RunRecord) : context.runs.create(record, request);
    for (const state of this.#scheduler.jobs) this.#note(state);
    if (reopened) context.runs.save(this.#run);
    this.finished = new Promise((resolve) => (this.#finish = resolve));
  }

  get record(): RunRecord {
    return { ...this.#run, jobs: this.#book.records(this.#scheduler.jobs) };
  }

  get id(): number {
    return this.#run.id;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** This run and all that it has started are over. */
  async settled(): Promise<void> {
    await this.finished;
    await Promise.all(this.#children.map((child) => child.settled()));
  }

  /** A new run; one that was opened again is told what to do. */
  start(): void {
    this.#announce();
    for (const job of this.request.play) if (this.#jobs.has(job)) this.#dispatch({ type: 'play', job });
    this.#dispatch({ type: 'start' });
  }

  /** Starts manual and delayed jobs. @param variables only for them */
  play(jobs: readonly string[], variables: readonly Variable[] = []): void {
    this.#announce();
    for (const job of jobs) {
      this.#given.set(job, variables);
      const state = this.#scheduler.job(job);
      this.#dispatch({ type: state && isFinished(state.status) ? 'retry' : 'play', job });
    }
  }

  /** Runs these jobs again; without names whatever did not pass. */
  retry(jobs: readonly string[]): void {
    this.#announce();
    if (jobs.length === 0) this.#dispatch({ type: 'retryAll' });
    for (const job of jobs) this.#dispatch({ type: 'retry', job });
  }

  /** A child of this run was opened again: the job that started it waits for it once more. */
  follow(job: string, child: PipelineRun): void {
    this.#announce();
    this.#adopt(child);
    this.#followed.set(job, child);
    this.#dispatch({ type: this.#scheduler.job(job)?.status === 'manual' ? 'play' : 'retry', job });
  }

  /** All of it, children too; or only some jobs. Scripts get their time to end and `after_script` runs. */
  cancel(jobs: readonly string[] = []): void {
    for (const job of jobs) this.#dispatch({ type: 'cancelJob', job });
    if (jobs.length > 0) return;
    for (const child of this.#children) child.cancel();
    if (!this.#isOver && !this.#scheduler.canceling) this.#dispatch({ type: 'cancel' });
  }

  /** Whatever its jobs still do ends now. */
  async kill(): Promise<void> {
    const { runtime, hostRuntime, clusters } = this.#context.config;
    const pods = [runtime, hostRuntime, ...clusters.runtimes()].flatMap((each) => each.list());
    const own = pods.filter((pod) => pod.labels['updraft/run'] === String(this.id));
    await Promise.all([...own.map((pod) => pod.remove()), ...this.#children.map((child) => child.kill())]);
  }

  #announce(): void {
    this.events.emit({ type: 'run', run: this.record });
  }

  #adopt(child: PipelineRun): void {
    this.#children.push(child);
    child.events.listen((event) => this.events.emit(event));
  }

  /** One event after the other: what an action brings about waits until the action before it is done. */
  #dispatch(event: SchedulerEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        if ('job' in next && !this.#jobs.has(next.job)) continue;
        const { actions, changed } = this.#scheduler.handle(next);
        for (const state of changed) this.events.emit({ type: 'job', run: this.id, job: this.#note(state) });
        for (const action of actions) this.#do(action);
        if (next.type === 'failed') this.#onJobFailure(next.job);
      }
    } finally {
      this.#busy = false;
    }
  }

  #note(state: JobState): ReturnType<JobBook['record']> {
    const { name } = state.plan;
    const record = this.#book.record(state);
    this.#context.runs.saveJob(this.id, this.#book.place(name), record, this.#book.memory(state));
    return record;
  }

  /** `workflow:auto_cancel:on_job_failure: all`. */
  #onJobFailure(name: string): void {
    const job = this.#scheduler.job(name);
    if (this.request.pipeline.autoCancel?.onJobFailure !== 'all') return;
    if (job?.status === 'failed' && !job.failureAllowed && !this.#isOver) this.#dispatch({ type: 'cancel' });
  }

  #do(action: SchedulerAction): void {
    const { clock } = this.#context.config;
    switch (action.type) {
      case 'request':
        this.#request(action.job);
        break;
      case 'withdraw':
        this.#release(action.job);
        break;
      case 'run':
        void this.#runJob(action.job, action.attempt);
        break;
      case 'delay':
        this.#timers.add(
          clock.timer(action.seconds * 1000, () => this.#dispatch({ type: 'delayOver', job: action.job })),
        );
        break;
      case 'interrupt':
        this.#abort.get(action.job)?.abort(new Error('canceled'));
        break;
      case 'finish':
        this.#end(action.status);
        break;
    }
  }

  #request(name: string): void {
    const { resourceGroup, trigger } = this.#job(name);
    const lease = this.#context.dispatcher.request({
      run: this.id,
      resource: resourceGroup === undefined ? undefined : `${this.request.projectDir}\0${resourceGroup}`,
      slot: trigger === undefined,
      onWaits: () => this.#dispatch({ type: 'waits', job: name }),
      onQueued: () => this.#dispatch({ type: 'queued', job: name }),
      onGranted: () => this.#dispatch({ type: 'granted', job: name }),
    });
    this.#leases.set(name, lease);
  }

  #release(name: string): void {
    const lease = this.#leases.get(name);
    this.#leases.delete(name);
    lease?.release();
  }

  async #runJob(name: string, attempt: number): Promise<void> {
    const { config } = this.#context;
    const controller = new AbortController();
    this.#abort.set(name, controller);
    const started = config.clock.elapsed();
    this.#book.started(name, config.clock.now());
    const event = await this.#work(name, attempt, controller.signal).catch((error: unknown) => {
      this.#log(name, `ERROR: ${error instanceof Error ? error.message : String(error)}\n`);
      return couldNotStart(name, error);
    });
    this.#abort.delete(name);
    this.#book.ended(name, config.clock.elapsed() - started);
    // Those that wait for this job ask for a place before it is free; another attempt of its own asks for a new one.
    const lease = this.#leases.get(name);
    this.#leases.delete(name);
    this.#dispatch(event);
    lease?.release();
  }

  async #work(name: string, attempt: number, signal: AbortSignal): Promise<SchedulerEvent> {
    const { runs } = this.#context;
    const job = this.#job(name);
    await runs.clearJob(this.id, name);
    if (attempt > 1) this.#log(name, `--- attempt ${attempt} ---\n`);
    return job.trigger ? this.#bridge(job, signal) : this.#execute(job, signal);
  }

  async #execute(written: Job, signal: AbortSignal): Promise<SchedulerEvent> {
    const { config, runs } = this.#context;
    const { name } = written;
    const given = this.#given.get(name) ?? [];
    const job = { ...written, variables: [...written.variables, ...given] };
    const incoming = await incomingFor(job, {
      runs,
      run: this.#run,
      request: this.request,
      ancestors: runs.ancestors(this.#run),
      givers: this.#book.givers(),
      memory: (other) => this.#book.memoryOf(other),
      values: (other) => bridgeValues(other, this.request, this.id),
    });
    for (const note of incoming.notes) this.#log(name, `NOTE: ${note}\n`);
    const result = await executeJob({
      config,
      input: { job, jobId: runs.nextJobId(), request: this.request, runId: this.id },
      incoming,
      outputDir: runs.jobDir(this.id, name),
      keepFailed: keptDir(runs.jobDir(this.id, name)),
      onLog: (text) => this.#log(name, text),
      signal,
    });
    this.#book.left(name, { ...result, notes: [...incoming.notes, ...result.notes] });
    if (result.outcome.kind === 'passed') {
      recordDeployment(this.#context, this.request, { job, result, runId: this.id });
    }
    return eventOf(name, result);
  }

  #bridge(job: Job, signal: AbortSignal): Promise<SchedulerEvent> {
    const { config, runs, launch } = this.#context;
    const { trigger, name } = job;
    if (!trigger) throw new Error(`${name} triggers nothing`);
    const known = this.#followed.get(name);
    this.#followed.delete(name);
    if (known) this.#book.startedChild(name, known.id);
    return runBridge(
      {
        job,
        trigger,
        run: this.#run,
        request: this.request,
        depth: runs.ancestors(this.#run).length,
        children: config.children,
        signal,
        log: (line) => this.#log(name, `${line}\n`),
        launch: (request) => {
          const child = launch(request, this, name);
          this.#book.startedChild(name, child.id);
          this.#adopt(child);
          child.start();
          return child;
        },
        artifact: (other, file) => runs.artifactText(this.id, other, file),
      },
      known,
    );
  }

  #log(job: string, text: string): void {
    const { runs, config } = this.#context;
    this.events.emit({ type: 'log', run: this.id, job, seq: this.#book.nextSeq(job), text });
    void runs.appendLog(this.id, job, text).catch((error: unknown) => {
      config.logger.log('error', 'a job’s log could not be kept', { job, error });
    });
  }

  #end(status: EndStatus): void {
    const { clock } = this.#context.config;
    for (const stop of this.#timers) stop();
    this.#isOver = true;
    const durationMs = this.#workedBeforeMs + clock.elapsed() - this.#startedAt;
    this.#run = { ...this.#run, status, durationMs };
    const { record } = this;
    this.#context.runs.save(record);
    this.events.emit({ type: 'finished', run: record });
    this.#finish(record);
  }

  #job(name: string): Job {
    const job = this.#jobs.get(name);
    if (!job) throw new Error(`the pipeline has no job ${name}`);
    return job;
  }
}
