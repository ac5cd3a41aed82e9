import { createPipeline } from '../create-pipeline.ts';
import type { JobDefinition } from '../configuration.ts';
import { freezeDeep } from '../freeze.ts';
import { instancesOf } from '../instances.ts';
import type { PipelineRequest, PipelineResult } from '../pipeline.ts';
import { nearest } from '../suggest.ts';
import { positionOf } from '../tree.ts';
import type { Explanation, InstanceExplanation } from './explanation.ts';
import { Jury } from './jury.ts';
import { loadForExplanation } from './load.ts';
import type { LoadedForExplanation } from './load.ts';
import { Origins } from './origins.ts';

export interface ExplainRequest extends PipelineRequest {
  /** Where given variables come from, by name: a file, `the platform`. */
  readonly variableOrigins?: ReadonlyMap<string, string>;
}

/**
 * Why a commit gets a job or not: its rules with what each looked at, where each keyword was written, which values of
 * variables won. `name`: a job, or one instance of a parallel job. Depends on its arguments alone, never throws for
 * what users write; the same jobs are `in` that `createPipeline` makes.
 */
export function explainJob(request: ExplainRequest, name: string): Explanation {
  const result = createPipeline(request);
  const loaded = loadForExplanation(request);
  return freezeDeep(loaded ? explained(name, { request, result, loaded }) : unreadable(name, result));
}

interface Case {
  readonly request: ExplainRequest;
  readonly result: PipelineResult;
  readonly loaded: LoadedForExplanation;
}

function explained(name: string, given: Case): Explanation {
  const { configuration, assembled } = given.loaded;
  const origins = new Origins(assembled);
  const definition =
    configuration.jobs.find((job) => job.name === name) ?? byInstance(configuration.jobs, name);
  if (definition) return explainDefinition(name, definition, { ...given, origins });
  return origins.entry(name) && name.startsWith('.')
    ? explainHidden(name, given, origins)
    : explainUnknown(name, given, origins);
}

const byInstance = (jobs: readonly JobDefinition[], name: string): JobDefinition | undefined =>
  jobs.find((job) => name.startsWith(job.name) && instancesOf(job).some((one) => one.name === name));

function explainDefinition(
  asked: string,
  definition: JobDefinition,
  given: Case & { readonly origins: Origins },
): Explanation {
  const { origins, result, loaded } = given;
  const job = loaded.configuration.tree.entries.get(definition.name)?.value;
  const jury = new Jury(given);
  const instances =
    jury.refusal === undefined
      ? instancesOf(definition)
          .filter(({ name }) => asked === definition.name || asked === name)
          .map((instance) => jury.explain(instance))
      : [];
  return {
    ...base(asked, result),
    ...verdictOf(instances, jury.refusal),
    noPipeline: jury.refusal === undefined ? noPipeline(result) : undefined,
    position: positionOf(definition.at),
    stage: definition.stage,
    parents: origins.parents(definition.name),
    workflow: jury.workflow,
    keys: job?.kind === 'map' ? origins.keys(definition.name, job) : [],
    instances,
  };
}

function base(asked: string, { problems, questions }: PipelineResult) {
  return {
    asked,
    suggestion: undefined,
    noPipeline: undefined,
    position: undefined,
    stage: undefined,
    parents: [],
    usedBy: [],
    workflow: undefined,
    keys: [],
    instances: [],
    problems,
    ...(questions === undefined ? {} : { questions }),
  };
}

/** One sentence for all instances. */
function verdictOf(
  instances: readonly InstanceExplanation[],
  refusal: string | undefined,
): Pick<Explanation, 'verdict' | 'reason'> {
  if (refusal !== undefined) return { verdict: 'out', reason: refusal };
  const inside = instances.filter((instance) => instance.in);
  const [first] = inside.length > 0 ? inside : instances;
  const reason = first?.reason ?? 'it has no instances';
  if (instances.length <= 1) return { verdict: first?.in ? 'in' : 'out', reason };
  const outside = instances.find((instance) => !instance.in);
  if (!outside) return { verdict: 'in', reason: `all of its ${instances.length} instances are: ${reason}` };
  if (inside.length === 0) {
    return { verdict: 'out', reason: `none of its ${instances.length} instances is: ${reason}` };
  }
  return {
    verdict: 'partly',
    reason: `${inside.length} of its ${instances.length} instances are; ${outside.name} is not: ${outside.reason}`,
  };
}

function noPipeline({ pipeline, problems, emptyBecause }: PipelineResult): string | undefined {
  if (pipeline) return undefined;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return emptyBecause;
  return errors === 1 ? 'the configuration has an error' : `the configuration has ${errors} errors`;
}

function explainHidden(name: string, { result }: Case, origins: Origins): Explanation {
  const entry = origins.entry(name);
  const usedBy = origins.names.filter(
    (other) => !other.startsWith('.') && origins.parents(other).some((parent) => parent.name === name),
  );
  return {
    ...base(name, result),
    verdict: 'hidden',
    reason: 'its name begins with a dot, so it is a template for other jobs and never in a pipeline',
    position: entry && positionOf(entry.at),
    parents: origins.parents(name),
    usedBy,
    keys: entry?.value.kind === 'map' ? origins.keys(name, entry.value) : [],
  };
}

function explainUnknown(name: string, { result, loaded }: Case, origins: Origins): Explanation {
  const jobs = loaded.configuration.jobs;
  const isKeyword = origins.entry(name) !== undefined;
  const parallel = jobs.find((job) => job.keywords.parallel && /^(?: \d|: \[)/.test(afterName(name, job)));
  const known = parallel
    ? instancesOf(parallel).map((instance) => instance.name)
    : [...jobs.map((job) => job.name), ...origins.names.filter((other) => other.startsWith('.'))];
  const why = parallel
    ? `${parallel.name} has no instance of this name`
    : 'there is no job of this name in the configuration';
  return {
    ...base(name, result),
    verdict: 'unknown',
    reason: isKeyword ? 'it is a keyword of the configuration, or no job that can be read' : why,
    suggestion:
      nearest(name, known) ?? known.find((other) => other.toLowerCase().includes(name.toLowerCase())),
  };
}

/** What follows the job's name; empty for names that begin otherwise. */
const afterName = (name: string, job: JobDefinition): string =>
  name.startsWith(job.name) ? name.slice(job.name.length) : '';

const unreadable = (name: string, result: PipelineResult): Explanation => ({
  ...base(name, result),
  verdict: 'unreadable',
  reason: 'the configuration cannot be read',
});
