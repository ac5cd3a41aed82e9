import type { Job } from '@updraft/gitlab-ci';
import type { JobResult } from '../job/outcome.ts';
import type { RunRequest } from '../ports.ts';
import type { JobProgress, JobState } from '../scheduler/state.ts';
import type { JobMemory, JobRecord, RunRecord } from './record.ts';
import type { Reopened } from './run.ts';

interface Facts {
  startedAt?: number;
  durationMs?: number;
  childRun?: number;
  seq: number;
  result?: JobResult | undefined;
}

/** What is known of each job beside its state: when, how long, what it left. Makes the records that are shown and kept. */
export class JobBook {
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #before: ReadonlyMap<string, JobRecord>;
  readonly #memories: ReadonlyMap<string, JobMemory>;
  readonly #facts = new Map<string, Facts>();
  readonly #givers: Set<string>;
  readonly #places: ReadonlyMap<string, number>;

  constructor(jobs: ReadonlyMap<string, Job>, reopened: Reopened | undefined) {
    this.#jobs = jobs;
    this.#places = new Map([...jobs.keys()].map((name, place) => [name, place]));
    this.#before = new Map(reopened?.record.jobs.map((job) => [job.name, job]));
    this.#memories = reopened?.memories ?? new Map();
    this.#givers = giversOf(reopened?.record.jobs ?? [], this.#memories);
  }

  /** The jobs' states as they were kept. */
  progress(): ReadonlyMap<string, JobProgress> {
    return new Map(
      [...this.#before].map(([name, { status, attempt, exitCode, reason, allowFailure }]) => {
        const played = this.#memories.get(name)?.played ?? false;
        const failureAllowed = status === 'failed' && allowFailure;
        return [name, { status, attempt, exitCode, reason, played, failureAllowed }];
      }),
    );
  }

  place(name: string): number {
    return this.#places.get(name) ?? 0;
  }

  started(name: string, at: number): void {
    const { seq } = this.#of(name);
    this.#facts.set(name, { startedAt: at, seq });
    this.#givers.delete(name);
  }

  ended(name: string, durationMs: number): void {
    this.#of(name).durationMs = durationMs;
  }

  left(name: string, result: JobResult): void {
    this.#of(name).result = result;
    if (result.artifacts || Object.keys(result.dotenv).length > 0) this.#givers.add(name);
  }

  startedChild(name: string, run: number): void {
    this.#of(name).childRun = run;
  }

  nextSeq(name: string): number {
    const facts = this.#of(name);
    facts.seq += 1;
    return facts.seq - 1;
  }

  /** What a job that has run leaves to others. */
  memoryOf(name: string): JobMemory | undefined {
    const result = this.#facts.get(name)?.result;
    if (!result) return this.#memories.get(name);
    return { dotenv: result.dotenv, environmentUrl: result.environmentUrl, played: false };
  }

  /** Jobs that have left something to others. */
  givers(): ReadonlySet<string> {
    return this.#givers;
  }

  memory({ plan, played }: JobState): JobMemory {
    const known = this.memoryOf(plan.name);
    return { dotenv: known?.dotenv ?? {}, environmentUrl: known?.environmentUrl, played };
  }

  records(states: readonly JobState[]): readonly JobRecord[] {
    return states.map((state) => this.record(state));
  }

  record({ plan, ...state }: JobState): JobRecord {
    const { name, stage, allowFailure } = plan;
    const job = this.#jobs.get(name);
    const declared = typeof allowFailure === 'boolean' ? allowFailure : false;
    const confirmation = job?.manualConfirmation;
    return {
      ...this.#left(name),
      name,
      stage,
      status: state.status,
      allowFailure: state.status === 'failed' ? state.failureAllowed : declared,
      reason: state.reason,
      exitCode: state.exitCode,
      environment: job?.environment?.name,
      attempt: state.attempt,
      ...(confirmation === undefined ? {} : { confirmation }),
    };
  }

  /** Of this attempt; of the last one when this run was opened again and the job has not run since. */
  #left(
    name: string,
  ): Pick<JobRecord, 'startedAt' | 'durationMs' | 'coverage' | 'notes'> & Partial<JobRecord> {
    const facts = this.#facts.get(name);
    const before = this.#before.get(name);
    if (facts?.startedAt === undefined && before) return before;
    const times = { startedAt: facts?.startedAt, durationMs: facts?.durationMs };
    if (!facts?.result) return { ...times, coverage: undefined, notes: [], childRun: facts?.childRun };
    const { coverage, notes, artifacts, reports, release } = facts.result;
    return { ...times, coverage, notes, artifacts, reports, release };
  }

  #of(name: string): Facts {
    const known = this.#facts.get(name);
    if (known) return known;
    const facts: Facts = { seq: 0 };
    this.#facts.set(name, facts);
    return facts;
  }
}

/** Of these jobs, the ones that have left artifacts or variables. */
export function giversOf(jobs: readonly JobRecord[], memories: ReadonlyMap<string, JobMemory>): Set<string> {
  const gives = ({ name, artifacts }: JobRecord): boolean =>
    artifacts !== undefined || Object.keys(memories.get(name)?.dotenv ?? {}).length > 0;
  return new Set(jobs.filter(gives).map(({ name }) => name));
}

/** The record of a run that is only beginning. */
export function newRecord(
  request: RunRequest,
  now: number,
  parent: RunRecord['parent'],
): Omit<RunRecord, 'id'> {
  const { facts, pipeline } = request;
  return {
    projectDir: request.projectDir,
    project: facts.projectPath,
    ref: facts.tag ?? facts.branch ?? facts.sha,
    sha: facts.sha,
    title: facts.message.split('\n')[0] ?? '',
    source: request.source,
    status: 'running',
    createdAt: now,
    durationMs: undefined,
    stages: pipeline.stages,
    jobs: [],
    ...(parent ? { parent } : {}),
  };
}
