import type { Configuration, JobDefinition } from './configuration.ts';
import { walkGraph } from './graph.ts';
import { instancesOf, isSelected } from './instances.ts';
import type { Instance } from './instances.ts';
import type { NeedDefinition } from './keywords/needs.ts';
import type { Need } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import type { Mark } from './tree.ts';

/** Jobs by the names that `needs` and `dependencies` may use: the definition's, and each instance's own. */
export class JobNames {
  readonly #instances = new Map<string, Instance[]>();
  readonly definitions: ReadonlyMap<string, JobDefinition>;
  readonly #problems: Problems;
  readonly #stageRank: ReadonlyMap<string, number>;

  /** `present`: the instances of this pipeline; all possible ones when only linting. */
  constructor(configuration: Configuration, present: readonly Instance[], problems: Problems) {
    this.definitions = new Map(configuration.jobs.map((job) => [job.name, job]));
    this.#stageRank = new Map(configuration.stages.map((stage, rank) => [stage, rank]));
    this.#problems = problems;
    for (const instance of present) {
      this.#file(instance.definition.name, instance);
      if (instance.name !== instance.definition.name) this.#file(instance.name, instance);
    }
  }

  #file(name: string, instance: Instance): void {
    const known = this.#instances.get(name);
    if (known) known.push(instance);
    else this.#instances.set(name, [instance]);
  }

  rank(stage: string): number {
    return this.#stageRank.get(stage) ?? 0;
  }

  named(name: string): readonly Instance[] {
    return this.#instances.get(name) ?? [];
  }

  /** The needs of one job by instance names; what can't be met is reported. */
  resolveNeeds(job: JobDefinition, needs: readonly NeedDefinition[]): readonly Need[] {
    const resolved = new Map<string, Need>();
    for (const need of needs) {
      for (const instance of this.#needed(job, need)) {
        const { artifacts, optional } = need;
        resolved.set(instance.name, { job: instance.name, artifacts, optional });
      }
    }
    return [...resolved.values()];
  }

  #needed(job: JobDefinition, need: NeedDefinition): readonly Instance[] {
    const found = this.named(need.job).filter((instance) => isSelected(instance, need.matrix));
    if (found.length === 0) this.#reportAbsent(job, need);
    return found.filter((instance) => {
      if (this.rank(instance.definition.stage) <= this.rank(job.stage)) return true;
      const message = `job ${job.name} (stage ${job.stage}) needs ${need.job}, which is of the later stage ${instance.definition.stage}`;
      this.#problems.add('need-later-stage', need.at, message);
      return false;
    });
  }

  #reportAbsent(job: JobDefinition, need: NeedDefinition): void {
    const definition = this.definitions.get(need.job) ?? this.#byInstanceName(need.job);
    if (need.optional) return;
    if (!definition) {
      const message = `job ${job.name} needs ${need.job}, which does not exist`;
      this.#problems.add('missing-need', need.at, message, nearest(need.job, this.definitions.keys()));
      return;
    }
    const instance = need.matrix
      ? 'none of its instances is as asked for'
      : 'its rules leave it out of this pipeline';
    const message = `job ${job.name} needs ${need.job}, but ${instance}; if that is meant, write optional: true`;
    this.#problems.add('need-not-in-pipeline', need.at, message);
  }

  #byInstanceName(name: string): JobDefinition | undefined {
    const base = /^(.*?)(?:: \[[^]*\]| \d+\/\d+)$/.exec(name)?.[1];
    const definition = base === undefined ? undefined : this.definitions.get(base);
    return definition && instancesOf(definition).some((one) => one.name === name) ? definition : undefined;
  }

  /** Jobs whose artifacts come in; those that are not in the pipeline are left out, as GitLab does. */
  resolveDependencies(job: JobDefinition, needs: readonly Need[] | undefined): readonly string[] | undefined {
    const { dependencies } = job.keywords;
    return dependencies?.flatMap((name) => {
      const definition = this.definitions.get(name) ?? this.#byInstanceName(name);
      const problem = this.#dependencyProblem(job, { name, definition, needs });
      if (problem === undefined) return this.named(name).map((instance) => instance.name);
      const suggestion = definition ? undefined : nearest(name, this.definitions.keys());
      this.#problems.add(
        'missing-dependency',
        job.at,
        `job ${job.name}: dependencies names ${name}, ${problem}`,
        suggestion,
      );
      return [];
    });
  }

  #dependencyProblem(
    job: JobDefinition,
    dependency: { name: string; definition: JobDefinition | undefined; needs: readonly Need[] | undefined },
  ): string | undefined {
    const { name, definition, needs } = dependency;
    if (!definition) return 'which does not exist';
    if (needs) {
      const needed = new Set(needs.map((need) => need.job));
      const missing = this.named(name).some((instance) => !needed.has(instance.name));
      return missing ? 'which is not among its needs' : undefined;
    }
    return this.rank(definition.stage) < this.rank(job.stage)
      ? undefined
      : 'which is not of an earlier stage';
  }
}

/** Reports jobs that need each other. */
export function checkNeedCycles(
  jobs: readonly { readonly name: string; readonly at: Mark; readonly needs: readonly Need[] | undefined }[],
  problems: Problems,
): void {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const { circles } = walkGraph(byName.keys(), (name) => {
    const job = byName.get(name);
    return job && (job.needs ?? []).map((need) => need.job);
  });
  for (const circle of circles) {
    const at = byName.get(circle[0] ?? '')?.at;
    problems.add('need-cycle', at, `jobs need each other in a circle: ${circle.join(' needs ')}`);
  }
}

/** `on_stop` must name a job that stops the same environment. */
export function checkOnStop(configuration: Configuration, problems: Problems): void {
  const byName = new Map(configuration.jobs.map((job) => [job.name, job]));
  for (const job of configuration.jobs) {
    const { environment } = job.keywords;
    if (environment?.onStop === undefined) continue;
    const stop = byName.get(environment.onStop);
    const why = stopProblem(stop, environment.name);
    if (why === undefined) continue;
    const suggestion = stop ? undefined : nearest(environment.onStop, byName.keys());
    problems.add(
      'invalid-on-stop',
      job.at,
      `job ${job.name}: on_stop names ${environment.onStop}, ${why}`,
      suggestion,
    );
  }
}

function stopProblem(stop: JobDefinition | undefined, name: string): string | undefined {
  if (!stop) return 'which does not exist';
  const environment = stop.keywords.environment;
  if (!environment) return 'which has no environment';
  if (environment.name !== name) return `whose environment is ${environment.name}, not ${name}`;
  return environment.action === 'stop' ? undefined : 'whose environment has no action: stop';
}
