import type { JobNames } from '../check-needs.ts';
import { isSelected } from '../instances.ts';
import type { NeedDefinition } from '../keywords/needs.ts';
import type { ForeignNeed } from '../pipeline.ts';
import { positionOf } from '../tree.ts';
import type { NeedTrace } from './explanation.ts';

export interface NeedsSetting {
  /** Of the jobs that are in the pipeline. */
  readonly names: JobNames;
  /** Why a job, known by its own name or an instance's, is not in the pipeline; undefined: there is none. */
  absence(name: string): string | undefined;
}

export function traceNeeds(needs: readonly NeedDefinition[], setting: NeedsSetting): readonly NeedTrace[] {
  return needs.map((need) => traceNeed(need, setting));
}

function traceNeed(need: NeedDefinition, { names, absence }: NeedsSetting): NeedTrace {
  const { job, optional, artifacts } = need;
  const named = names.named(job);
  const jobs = named.filter((instance) => isSelected(instance, need.matrix)).map(({ name }) => name);
  const common = { job, optional, artifacts, jobs, position: positionOf(need.at) };
  if (jobs.length > 0) return { ...common, state: 'met', because: undefined };
  const because = named.length > 0 ? 'none of its instances is as asked for' : absence(job);
  if (optional) return { ...common, state: 'dropped', because: because ?? 'there is no such job' };
  return { ...common, state: because === undefined ? 'missing' : 'left-out', because };
}

/** A need on a job of the parent pipeline or of another project. */
export function traceForeignNeed({
  kind,
  source,
  job,
  optional,
  artifacts,
  position,
}: ForeignNeed): NeedTrace {
  const because = `of the ${kind} ${source}`;
  return { job: job ?? '', position, optional, artifacts, jobs: [], state: 'foreign', because };
}
