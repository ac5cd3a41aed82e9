import { Fault, exists } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import type { ForeignNeed, Job } from '@updraft/gitlab-ci';
import type { IncomingArtifacts } from '../job/artifacts.ts';
import type { RunRequest } from '../ports.ts';
import type { JobMemory, RunRecord } from './record.ts';
import type { RunStore } from './store.ts';

/** Where a job's artifacts can come from. */
export interface ArtifactSources {
  readonly runs: RunStore;
  readonly run: RunRecord;
  readonly request: RunRequest;
  /** The runs that this one is a child of, nearest first. */
  readonly ancestors: readonly number[];
  /** Jobs of this run that have left something: artifacts or variables. */
  readonly givers: ReadonlySet<string>;
  memory(job: string): JobMemory | undefined;
  /** The job's variables, for `needs:pipeline: $PARENT_PIPELINE_ID`. */
  values(job: Job): Readonly<Record<string, string>>;
}

interface Collected {
  readonly archives: { readonly job: string; readonly file: string }[];
  dotenv: Record<string, string>;
  /** What the job's log should say of where they came from. */
  readonly notes: string[];
}

/**
 * What a job gets of others: of its needs, else of all earlier stages, both cut down by `dependencies`; in stage order,
 * so that a later job's file wins.
 * @throws Fault ARTIFACTS_MISSING when another pipeline should have left them
 */
export async function incomingFor(
  job: Job,
  sources: ArtifactSources,
): Promise<IncomingArtifacts & { readonly notes: readonly string[] }> {
  const collected: Collected = { archives: [], dotenv: {}, notes: [] };
  const { jobs } = sources.request.pipeline;
  const present = jobs
    .filter(({ name }) => sources.givers.has(name))
    .map(({ name, stage }) => ({ name, stage, omitted: false }));
  const omitted = (sources.request.omitted?.jobs ?? []).map((each) => ({ ...each, omitted: true }));
  const rank = stageRank(sources.request);
  const all = [...present, ...omitted].toSorted((a, b) => rank(a.stage) - rank(b.stage));
  for (const other of all) {
    if (!isWanted(job, other, rank)) continue;
    if (other.omitted) await fromEarlierRun(other.name, sources, collected);
    else await take(sources.run.id, other.name, { sources, collected, memory: sources.memory(other.name) });
  }
  for (const need of job.foreignNeeds ?? []) await fromOtherPipeline(job, need, sources, collected);
  return collected;
}

function stageRank({ pipeline, omitted }: RunRequest): (stage: string) => number {
  const order = omitted?.stages ?? pipeline.stages;
  return (stage) => order.indexOf(stage);
}

function isWanted(
  job: Job,
  other: { name: string; stage: string },
  rank: (stage: string) => number,
): boolean {
  if (job.needs) {
    if (!job.needs.some((need) => need.job === other.name && need.artifacts)) return false;
  } else if (rank(other.stage) >= rank(job.stage)) return false;
  return job.dependencies === undefined || job.dependencies.includes(other.name);
}

async function take(
  run: number,
  job: string,
  to: { sources: ArtifactSources; collected: Collected; memory: JobMemory | undefined },
): Promise<boolean> {
  const file = to.sources.runs.archive(run, job);
  const found = await exists(file);
  if (found) to.collected.archives.push({ job, file });
  Object.assign(to.collected.dotenv, to.memory?.dotenv);
  return found || Object.keys(to.memory?.dotenv ?? {}).length > 0;
}

/** Of a job that is not part of this run: from the newest run in which it passed, of this ref when there is one. */
async function fromEarlierRun(job: string, sources: ArtifactSources, collected: Collected): Promise<void> {
  const { runs, run } = sources;
  const passed = runs
    .list()
    .filter(
      (each) =>
        each.id !== run.id &&
        each.projectDir === run.projectDir &&
        each.jobs.some((other) => other.name === job && other.status === 'success'),
    );
  const found = passed.find((each) => each.ref === run.ref) ?? passed[0];
  if (!found) return;
  const memory = runs.reopen(found.id)?.memories.get(job);
  if (!(await take(found.id, job, { sources, collected, memory }))) return;
  const where = `run ${found.id} (${found.ref}, ${found.sha.slice(0, 8)})`;
  collected.notes.push(`${job} is not part of this run: its artifacts are those of ${where}`);
}

async function fromOtherPipeline(
  job: Job,
  need: ForeignNeed,
  sources: ArtifactSources,
  collected: Collected,
): Promise<void> {
  if (!need.artifacts || need.job === undefined) return;
  const missing = (message: string): void => {
    if (!need.optional) throw new Fault('ARTIFACTS_MISSING', message);
    collected.notes.push(`${message}; the need is optional`);
  };
  if (need.kind === 'project') {
    return missing(`needs artifacts of another project (${need.source}), which this machine does not have`);
  }
  const id = Number(expandVariables(need.source, sources.values(job)));
  if (!sources.ancestors.includes(id))
    return missing(`needs:pipeline: ${need.source} is no parent of this pipeline`);
  const memory = sources.runs.reopen(id)?.memories.get(need.job);
  const found = await take(id, need.job, { sources, collected, memory });
  if (!found) missing(`the parent pipeline’s job ${need.job} has left no artifacts`);
}
