import { Dispatcher } from './dispatcher.ts';
import type { Lease } from './dispatcher.ts';
import { Scheduler } from './scheduler.ts';
import type { EndStatus, JobProgress, PlannedJob, SchedulerAction, SchedulerEvent } from './state.ts';

export const job = (name: string, stage: string, more: Partial<PlannedJob> = {}): PlannedJob => ({
  name,
  stage,
  when: 'on_success',
  startInSeconds: undefined,
  allowFailure: false,
  needs: undefined,
  retry: { max: 0, when: [], exitCodes: [] },
  ...more,
});

export const need = (name: string) => ({ job: name, artifacts: true, optional: false });

/** Does what a scheduler decides, with a real dispatcher and jobs that end when they are told to. */
export class Player {
  readonly scheduler: Scheduler;
  readonly running: string[] = [];
  readonly started: string[] = [];
  readonly delayed: string[] = [];
  readonly resources: Readonly<Record<string, string>>;
  ends: EndStatus[] = [];
  most = 0;
  onRun: (job: string) => void = () => undefined;
  onRequest: (job: string) => void = () => undefined;
  readonly #dispatcher: Dispatcher;
  readonly #leases = new Map<string, Lease>();
  readonly #queue: SchedulerEvent[] = [];
  #busy = false;

  constructor(
    jobs: readonly PlannedJob[],
    options: {
      slots?: number;
      stages?: readonly string[];
      resources?: Record<string, string>;
      known?: ReadonlyMap<string, JobProgress>;
    } = {},
  ) {
    const stages = options.stages ?? [...new Set(jobs.map((each) => each.stage))];
    this.scheduler = new Scheduler(stages, jobs, options.known);
    this.#dispatcher = new Dispatcher(options.slots ?? 2);
    this.resources = options.resources ?? {};
  }

  handle(event: SchedulerEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      for (const action of this.scheduler.handle(next).actions) this.#do(action);
    }
    this.#busy = false;
  }

  /** Ends a running job. */
  end(name: string, exitCode: number | 'canceled' = 0): void {
    this.running.splice(this.running.indexOf(name), 1);
    this.#release(name);
    if (exitCode === 'canceled') this.handle({ type: 'canceled', job: name });
    else if (exitCode === 0) this.handle({ type: 'passed', job: name });
    else {
      const reason = `exit code ${exitCode}`;
      this.handle({ type: 'failed', job: name, why: 'script_failure', exitCode, reason });
    }
  }

  /** Plays to the end; `fails` maps a job to its exit codes, one for each try. */
  play(fails: Record<string, number[]> = {}): this {
    const before = this.ends.length;
    if (before === 0) this.handle({ type: 'start' });
    while (this.ends.length === before) {
      const next = this.running[0];
      const delayed = this.delayed.shift();
      if (delayed !== undefined) this.handle({ type: 'delayOver', job: delayed });
      else if (next === undefined) throw new Error('nothing runs and nothing finished');
      else this.end(next, fails[next]?.shift() ?? 0);
    }
    return this;
  }

  get finished(): EndStatus | undefined {
    return this.ends.at(-1);
  }

  get status(): Record<string, string> {
    return Object.fromEntries(this.scheduler.jobs.map(({ plan, status }) => [plan.name, status]));
  }

  #do(action: SchedulerAction): void {
    if (action.type === 'finish') this.ends.push(action.status);
    else if (action.type === 'request') this.#request(action.job);
    else if (action.type === 'withdraw') this.#release(action.job);
    else if (action.type === 'delay') this.delayed.push(action.job);
    else if (action.type === 'interrupt') this.end(action.job, 'canceled');
    else {
      this.onRun(action.job);
      this.started.push(action.job);
      this.running.push(action.job);
      this.most = Math.max(this.most, this.running.length);
    }
  }

  #request(name: string): void {
    this.onRequest(name);
    const lease = this.#dispatcher.request({
      run: 1,
      resource: this.resources[name],
      slot: true,
      onWaits: () => this.handle({ type: 'waits', job: name }),
      onQueued: () => this.handle({ type: 'queued', job: name }),
      onGranted: () => this.handle({ type: 'granted', job: name }),
    });
    this.#leases.set(name, lease);
  }

  #release(name: string): void {
    const lease = this.#leases.get(name);
    this.#leases.delete(name);
    lease?.release();
  }
}
