import type { PlannedJob } from './state.ts';

/** Who waits for whom, worked out once: jobs by their index in the pipeline's order. */
export interface Plan {
  readonly jobs: readonly PlannedJob[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** For each job its stage's place. */
  readonly stageOf: readonly number[];
  readonly stageCount: number;
  /** For each job the jobs it needs; undefined: it waits for the stages before its own. */
  readonly needs: readonly (readonly number[] | undefined)[];
  /** For each job those that name it in their needs. */
  readonly dependents: readonly (readonly number[])[];
}

/** In the pipeline's order: by stage, then as written. */
export function makePlan(stages: readonly string[], written: readonly PlannedJob[]): Plan {
  const rank = new Map(stages.map((stage, index) => [stage, index]));
  const rankOf = (job: PlannedJob): number => rank.get(job.stage) ?? stages.length;
  const jobs = written.toSorted((a, b) => rankOf(a) - rankOf(b));
  const indexOf = new Map(jobs.map((job, index) => [job.name, index]));
  const needs = jobs
    .map((job) => job.needs && [...new Set(job.needs.map(({ job: name }) => indexOf.get(name)))])
    .map((list) => list?.filter((index) => index !== undefined));
  const dependents = jobs.map((): number[] => []);
  for (const [index, list] of needs.entries()) for (const need of list ?? []) dependents[need]?.push(index);
  return { jobs, indexOf, stageOf: jobs.map(rankOf), stageCount: stages.length + 1, needs, dependents };
}
