import type { Configuration, JobDefinition } from './configuration.ts';
import { walkGraph } from './graph.ts';
import { instancesOf, isSelected } from './instances.ts';
import type { Instance } from './instances.ts';
import type { Mention } from './keywords/job.ts';
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
    this.#reportTwins(job, needs);
    for (const need of needs) {
      for (const instance of this.#needed(job, need)) {
        const { artifacts, optional } = need;
        resolved.set(instance.name, { job: instance.name, artifacts, optional });
      }
    }
    return [...resolved.values()];
  }

  /** GitLab refuses the same need twice; the same job with other settings it takes. */
  #reportTwins(job: JobDefinition, needs: readonly NeedDefinition[]): void {
    const seen = new Set<string>();
    for (const need of needs) {
      if (need.matrix) continue;
      const identity = `${need.artifacts} ${need.optional} ${need.job}`;
      if (seen.has(identity)) {
        this.#problems.add('conflicting-keywords', need.at, `job ${job.name} needs ${need.job} twice`);
      }
      seen.add(identity);
    }
  }

  #needed(job: JobDefinition, need: NeedDefinition): readonly Instance[] {
    const found = this.named(need.job).filter((instance) => isSelected(instance, need.matrix));
    if (found.length === 0) this.#reportAbsent(job, need);
    return found.filter((instance) => {
      if (!this.#isLater(instance.definition.stage, job.stage)) return true;
      const message = `job ${job.name} (stage ${job.stage}) needs ${need.job}, which is of the later stage ${instance.definition.stage}`;
      this.#problems.add('need-later-stage', need.at, message);
      return false;
    });
  }

  /** A stage that does not exist was reported; it is neither earlier nor later than others. */
  #isLater(stage: string, than: string): boolean {
    const rank = this.#stageRank.get(stage);
    const other = this.#stageRank.get(than);
    return rank !== undefined && other !== undefined && rank > other;
  }

  #reportAbsent(job: JobDefinition, need: NeedDefinition): void {
    const definition = this.definitions.get(need.job) ?? this.#byInstanceName(need.job);
    if (need.optional) return;
    if (!definition) {
      const message = `job ${job.name} needs ${need.job}, which does not exist`;
      this.#problems.add('missing-need', need.at, message, () => nearest(need.job, this.definitions.keys()));
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

  /**
   * Jobs whose artifacts come in; those that are not in the pipeline are left out, as GitLab does. `ofRule`: the needs
   * are those of a rule, which GitLab does not hold the dependencies against; nor `needs: []`.
   */
  resolveDependencies(
    job: JobDefinition,
    needs: readonly Need[] | undefined,
    ofRule = false,
  ): readonly string[] | undefined {
    const { dependencies } = job.keywords;
    if (!dependencies) return undefined;
    const isFree = ofRule || job.keywords.needs?.length === 0;
    const needed = needs && new Set(needs.map((need) => need.job));
    const brings = (instance: Instance): boolean =>
      needed ? needed.has(instance.name) : this.rank(instance.definition.stage) < this.rank(job.stage);
    return dependencies.flatMap(({ name, at }) => {
      const found = this.named(name);
      const definition = this.definitions.get(name) ?? this.#byInstanceName(name);
      const isOutside = needed !== undefined && !isFree && !found.every(brings);
      const why = isOutside ? 'which is not among its needs' : this.#whyNoDependency(job, definition);
      if (why !== undefined)
        this.#reportDependency(job, { name, at, why, isKnown: definition !== undefined });
      return found.filter(brings).map((instance) => instance.name);
    });
  }

  #reportDependency(
    job: JobDefinition,
    { name, at, why, isKnown }: Mention & { readonly why: string; readonly isKnown: boolean },
  ): void {
    const message = `job ${job.name}: dependencies names ${name}, ${why}`;
    const suggestion = isKnown ? undefined : () => nearest(name, this.definitions.keys());
    this.#problems.add('missing-dependency', at, message, suggestion);
  }

  /** One of the same stage is allowed, and brings nothing. */
  #whyNoDependency(job: JobDefinition, definition: JobDefinition | undefined): string | undefined {
    if (!definition) return 'which does not exist';
    return this.#isLater(definition.stage, job.stage) ? 'which is of a later stage' : undefined;
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
    const onStop = environment?.onStop;
    if (!environment || onStop === undefined) continue;
    const stop = byName.get(onStop);
    const why = stopProblem(stop, environment.name);
    if (why === undefined) continue;
    const suggestion = stop ? undefined : () => nearest(onStop, byName.keys());
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
