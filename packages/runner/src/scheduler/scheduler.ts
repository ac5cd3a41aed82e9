import { makePlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { isActive, isFinished } from './state.ts';
import type { JobProgress, JobState, PlannedJob, SchedulerAction, SchedulerEvent } from './state.ts';
import { Tally, kindOf } from './tally.ts';
import type { Kind } from './tally.ts';
import { afterFailure } from './failure.ts';
import { beforeByNeeds, settled, skipReason, turnOf } from './turn.ts';
import type { Before } from './turn.ts';

export interface Decision {
  readonly actions: readonly SchedulerAction[];
  /** Jobs that are no longer what they were, in the pipeline's order. */
  readonly changed: readonly JobState[];
}

const UNTOUCHED: JobProgress = {
  status: 'created',
  attempt: 0,
  exitCode: undefined,
  failureAllowed: false,
  reason: undefined,
  played: false,
};

/**
 * Decides what to do now that something has happened. It does nothing itself and knows no time: the same events always
 * give the same decisions. A job gets its turn the moment those before it have come to an end; each event costs what
 * it changes, whatever the size of the pipeline.
 */
export class Scheduler {
  readonly #plan: Plan;
  readonly #jobs: JobState[];
  /** For each stage its jobs by kind; for each job with needs the needed ones by kind. */
  readonly #stages: readonly Tally[];
  readonly #needed: readonly (Tally | undefined)[];
  /** For each stage its jobs that wait for the stages before it. */
  readonly #waiting: readonly Set<number>[];
  /** Jobs with needs of which one has come to an end. */
  readonly #dirty = new Set<number>();
  /** The first stage that is not over, and what the jobs of those before it have come to. */
  #frontier = 0;
  #earlier = new Tally();
  #blamed: { readonly before: number; readonly job: JobState | undefined } | undefined;
  readonly #changed = new Set<number>();
  #actions: SchedulerAction[] = [];
  #active = 0;
  #started: boolean;
  #moving = true;
  #canceling = false;

  /** @param known what an earlier process has recorded of the same pipeline */
  constructor(
    stages: readonly string[],
    jobs: readonly PlannedJob[],
    known?: ReadonlyMap<string, JobProgress>,
  ) {
    this.#plan = makePlan(stages, jobs);
    this.#jobs = this.#plan.jobs.map((plan) => ({ ...UNTOUCHED, ...known?.get(plan.name), plan }));
    this.#stages = Array.from({ length: this.#plan.stageCount }, () => new Tally());
    this.#needed = this.#plan.needs.map((needs) => (needs ? new Tally() : undefined));
    this.#waiting = this.#stages.map(() => new Set());
    this.#started = known !== undefined;
    for (const index of this.#jobs.keys()) this.#count(index, 1);
  }

  get jobs(): readonly JobState[] {
    return this.#jobs;
  }

  get canceling(): boolean {
    return this.#canceling;
  }

  job(name: string): JobState | undefined {
    const index = this.#plan.indexOf.get(name);
    return index === undefined ? undefined : this.#jobs[index];
  }

  handle(event: SchedulerEvent): Decision {
    this.#changed.clear();
    this.#actions = [];
    this.#moving ||= event.type === 'play' || event.type === 'retry' || event.type === 'retryAll';
    this.#apply(event);
    if (this.#started) this.#settle();
    this.#finishWhenDone();
    return { actions: this.#inOrder(this.#actions), changed: this.#changes() };
  }

  #changes(): readonly JobState[] {
    const indexes = [...this.#changed];
    if (indexes.length > 1) indexes.sort((a, b) => a - b);
    return indexes.map((index) => this.#jobs[index]).filter((job) => job !== undefined);
  }

  #apply(event: SchedulerEvent): void {
    switch (event.type) {
      case 'start':
        this.#started = true;
        for (const [index, needs] of this.#plan.needs.entries()) if (needs) this.#dirty.add(index);
        break;
      case 'retryAll':
        this.#retryAll();
        break;
      case 'cancel':
        this.#cancel();
        break;
      default: {
        const index = this.#plan.indexOf.get(event.job);
        const job = index === undefined ? undefined : this.#jobs[index];
        if (index === undefined || !job) throw new Error(`the pipeline has no job ${event.job}`);
        this.#applyToJob(index, job, event);
      }
    }
  }

  #applyToJob(
    index: number,
    job: JobState,
    event: Exclude<SchedulerEvent, { type: 'start' | 'retryAll' | 'cancel' }>,
  ): void {
    switch (event.type) {
      case 'granted':
      case 'waits':
      case 'queued':
        return this.#onPlace(index, job, event.type);
      case 'delayOver':
        return job.status === 'scheduled' ? this.#request(index) : undefined;
      case 'play':
        return this.#play(index, job);
      case 'retry':
        return this.#retry(index, job);
      case 'cancelJob':
        return this.#cancelJob(index, job);
      default:
        return this.#ended(index, job, event);
    }
  }

  /** What the dispatcher says of a job that has asked for a place. */
  #onPlace(index: number, job: JobState, what: 'granted' | 'waits' | 'queued'): void {
    if (job.status !== 'pending' && job.status !== 'waiting_for_resource') return;
    if (what === 'granted') this.#run(index, job);
    else this.#change(index, { status: what === 'waits' ? 'waiting_for_resource' : 'pending' });
  }

  #run(index: number, job: JobState): void {
    const attempt = job.attempt + 1;
    this.#change(index, { status: 'running', attempt });
    this.#actions.push({ type: 'run', job: job.plan.name, attempt });
  }

  #ended(
    index: number,
    job: JobState,
    event: Extract<SchedulerEvent, { type: 'passed' | 'failed' | 'canceled' | 'mirrored' }>,
  ): void {
    if (job.status !== 'running') return;
    if (event.type === 'mirrored') this.#change(index, { status: event.status, reason: event.reason });
    else if (event.type === 'passed')
      this.#change(index, { status: 'success', exitCode: 0, reason: undefined });
    else if (event.type === 'canceled') this.#change(index, { status: 'canceled', reason: 'canceled' });
    else {
      const after = afterFailure(job, event, this.#canceling);
      if (after === 'again') this.#request(index, event.reason);
      else this.#change(index, after);
    }
  }

  #request(index: number, reason?: string): void {
    this.#change(index, { status: 'pending', reason, exitCode: undefined, failureAllowed: false });
    this.#actions.push({ type: 'request', job: this.#name(index) });
  }

  #play(index: number, job: JobState): void {
    if (this.#canceling) return;
    if (job.status === 'manual' || job.status === 'scheduled') {
      this.#change(index, { played: true });
      this.#request(index);
      this.#reviveSkipped(index);
    } else if (job.status === 'created') this.#change(index, { played: true });
  }

  #retry(index: number, job: JobState): void {
    if (this.#canceling || !isFinished(job.status)) return;
    this.#change(index, { played: true });
    this.#request(index);
    this.#reviveSkipped(index);
  }

  #retryAll(): void {
    if (this.#canceling) return;
    for (const [index, { status }] of this.#jobs.entries()) {
      if (status === 'failed' || status === 'canceled' || status === 'skipped') this.#reset(index);
    }
  }

  /** Those that were skipped because of a job get their turn again; over any number of needs. */
  #reviveSkipped(index: number): void {
    const stage = this.#plan.stageOf[index] ?? 0;
    for (const [other, { status }] of this.#jobs.entries()) {
      if (status === 'skipped' && (this.#plan.stageOf[other] ?? 0) > stage) this.#reset(other);
    }
    const queue = [...(this.#plan.dependents[index] ?? [])];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const status = this.#jobs[next]?.status;
      if (status === 'skipped') this.#reset(next);
      else if (status !== 'created') continue;
      queue.push(
        ...(this.#plan.dependents[next] ?? []).filter((each) => this.#jobs[each]?.status === 'skipped'),
      );
    }
  }

  /** A job that was started by hand before is not asked about again. */
  #reset(index: number): void {
    const cleared = { exitCode: undefined, failureAllowed: false, reason: undefined };
    this.#change(index, { status: 'created', ...cleared });
    this.#dirty.add(index);
  }

  #cancel(): void {
    this.#canceling = true;
    for (const [index, job] of this.#jobs.entries()) this.#cancelJob(index, job);
  }

  /** As in GitLab, a job that waits to be started by hand goes on waiting. */
  #cancelJob(index: number, { status, plan }: JobState): void {
    if (status === 'running') this.#actions.push({ type: 'interrupt', job: plan.name });
    else if (status === 'created' || isActive(status)) {
      if (status === 'pending' || status === 'waiting_for_resource')
        this.#actions.push({ type: 'withdraw', job: plan.name });
      this.#change(index, { status: 'canceled', reason: 'canceled' });
    }
  }

  /** Gives every job its turn that has one, until nothing moves any more. */
  #settle(): void {
    do {
      for (const index of this.#dirty) {
        this.#dirty.delete(index);
        this.#turnByNeeds(index);
      }
    } while (this.#settleStages() || this.#dirty.size > 0);
  }

  #turnByNeeds(index: number): void {
    const job = this.#jobs[index];
    const needed = this.#needed[index];
    if (!job || !needed || job.status !== 'created') return;
    const before = beforeByNeeds(needed, job);
    if (before === 'waiting') return;
    this.#turn(index, before, () => this.#blame(this.#plan.needs[index] ?? []));
  }

  /** Goes on to the first stage that is still at work. @returns whether a job got its turn */
  #settleStages(): boolean {
    for (; this.#frontier < this.#stages.length; this.#frontier += 1) {
      const waiting = this.#waiting[this.#frontier];
      const stage = this.#stages[this.#frontier];
      if (waiting && waiting.size > 0) {
        const before = settled(this.#earlier);
        const blame = () => this.#blameEarlierStages();
        for (const index of waiting) this.#turn(index, before, blame);
        return true;
      }
      if (!stage || stage.has('open') || stage.has('manual')) return false;
      this.#earlier.addAll(stage);
    }
    return false;
  }

  #blameEarlierStages(): JobState | undefined {
    if (!this.#blamed || this.#blamed.before !== this.#frontier) {
      const failed = this.#blamed?.job?.status === 'failed' ? this.#blamed.job : undefined;
      const earlier = this.#plan.stageOf.findIndex((stage) => stage >= this.#frontier);
      const count = earlier < 0 ? this.#jobs.length : earlier;
      const job = failed ?? this.#blame(Array.from({ length: count }, (_, index) => index));
      this.#blamed = { before: this.#frontier, job };
    }
    return this.#blamed.job;
  }

  #turn(index: number, before: Exclude<Before, 'waiting'>, blame: () => JobState | undefined): void {
    const job = this.#jobs[index];
    if (!job) return;
    const turn = turnOf(job, before);
    if (turn === 'pending') this.#request(index);
    else if (turn === 'skipped') this.#change(index, { status: turn, reason: skipReason(job, blame()) });
    else if (turn === 'manual') this.#change(index, { status: turn, reason: 'waits to be started by hand' });
    else {
      const seconds = job.plan.startInSeconds ?? 0;
      this.#change(index, { status: turn, reason: `starts in ${seconds} s` });
      this.#actions.push({ type: 'delay', job: job.plan.name, seconds });
    }
  }

  /** The worst of those before: one that failed, else was canceled, else waits to be started, else did not run. */
  #blame(candidates: Iterable<number>): JobState | undefined {
    const order = ['failed', 'canceled', 'manual', 'ignored', 'skipped'];
    let worst: JobState | undefined;
    let rank = order.length;
    for (const index of candidates) {
      const job = this.#jobs[index];
      const place = job ? order.indexOf(kindOf(job)) : -1;
      if (place >= 0 && place < rank) [worst, rank] = [job, place];
    }
    return worst;
  }

  #finishWhenDone(): void {
    if (!this.#started || this.#active > 0 || !this.#moving) return;
    this.#moving = false;
    this.#explainWaiting();
    const all = new Tally();
    for (const stage of this.#stages) all.addAll(stage);
    const status = all.status();
    this.#actions.push({
      type: 'finish',
      status: this.#canceling && status === 'manual' ? 'canceled' : status,
    });
    this.#canceling = false;
  }

  /** Jobs behind a manual one that nobody has started stay as they are, and say so. */
  #explainWaiting(): void {
    const blocking = this.#jobs.filter((job) => kindOf(job) === 'manual');
    const [first] = blocking;
    if (!first) return;
    for (const [index, job] of this.#jobs.entries()) {
      if (job.status !== 'created') continue;
      const needs = this.#plan.needs[index];
      const named = needs ? this.#blame(needs) : undefined;
      const { name } = (named ?? first).plan;
      this.#change(index, { reason: `waits for ${name}` });
    }
  }

  #change(index: number, how: Partial<JobProgress>): void {
    const job = this.#jobs[index];
    if (!job) return;
    this.#count(index, -1);
    const next = { ...job, ...how };
    this.#jobs[index] = next;
    this.#changed.add(index);
    this.#count(index, 1);
  }

  /** Keeps every count right that a job is part of. */
  #count(index: number, by: 1 | -1): void {
    const job = this.#jobs[index];
    if (!job) return;
    const kind = kindOf(job);
    const stage = this.#plan.stageOf[index] ?? 0;
    if (stage < this.#frontier) this.#lookAgain();
    this.#stages[stage]?.add(kind, by);
    if (isActive(job.status)) this.#active += by;
    if (this.#plan.needs[index] === undefined)
      this.#countWaiting(index, stage, job.status === 'created' && by === 1);
    this.#countForDependents(index, kind, by);
  }

  #countForDependents(index: number, kind: Kind, by: 1 | -1): void {
    for (const dependent of this.#plan.dependents[index] ?? []) {
      this.#needed[dependent]?.add(kind, by);
      if (by === 1 && kind !== 'open') this.#dirty.add(dependent);
    }
  }

  #countWaiting(index: number, stage: number, waits: boolean): void {
    if (waits) this.#waiting[stage]?.add(index);
    else this.#waiting[stage]?.delete(index);
  }

  /** A job of a stage that was over is at work again. */
  #lookAgain(): void {
    this.#frontier = 0;
    this.#earlier = new Tally();
    this.#blamed = undefined;
  }

  #name(index: number): string {
    return this.#jobs[index]?.plan.name ?? '';
  }

  /** Requests in the pipeline's order, whatever order the jobs got their turn in. */
  #inOrder(actions: readonly SchedulerAction[]): readonly SchedulerAction[] {
    if (actions.length < 2) return actions;
    const place = (action: SchedulerAction): number => {
      if (action.type === 'request') return 1 + (this.#plan.indexOf.get(action.job) ?? 0);
      return action.type === 'finish' ? Number.MAX_SAFE_INTEGER : 0;
    };
    return actions.toSorted((a, b) => place(a) - place(b));
  }
}
