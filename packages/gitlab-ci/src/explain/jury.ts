import { JobNames } from '../check-needs.ts';
import { decideWorkflow, selectionOf } from '../create-pipeline.ts';
import type { Workflow } from '../create-pipeline.ts';
import { instancesOf, needsOfInstance } from '../instances.ts';
import type { Instance } from '../instances.ts';
import { flatten } from '../keywords/readers.ts';
import type { Rule } from '../keywords/rules.ts';
import { makeJob } from '../make-job.ts';
import type { Variable } from '../pipeline.ts';
import { Problems } from '../problems.ts';
import { ruleContext } from '../scene.ts';
import { contextOf, definedVariables, scopeOf, selectJob } from '../select-jobs.ts';
import type { SelectedJob, Selection } from '../select-jobs.ts';
import { child } from '../tree.ts';
import type { MapTree, Tree } from '../tree.ts';
import { strongest } from '../variables/job-variables.ts';
import { VariableScope } from '../variables/scope.ts';
import type { ExplainRequest } from './explain-job.ts';
import type { InstanceExplanation, NeedTrace, RulesTrace, VariableOrigin } from './explanation.ts';
import type { LoadedForExplanation } from './load.ts';
import type { Origins } from './origins.ts';
import { filtersReason, pipelineKind, placeOf, rulesReason } from './reasons.ts';
import { redactionOf } from './redact.ts';
import type { Redact } from './redact.ts';
import { traceFilters } from './trace-filters.ts';
import { traceForeignNeed, traceNeeds } from './trace-needs.ts';
import { traceRules } from './trace-rules.ts';
import type { Witness } from './trace-expression.ts';
import { originOf, traceVariables } from './trace-variables.ts';
import type { VariablePlaces } from './trace-variables.ts';

interface Given {
  readonly request: ExplainRequest;
  readonly loaded: LoadedForExplanation;
  readonly origins: Origins;
}

/** Decides as `createPipeline` does, by its own functions, and tells why. */
export class Jury {
  readonly workflow: RulesTrace | undefined;
  /** Why there is no pipeline for this commit, whatever the jobs say. */
  readonly refusal: string | undefined;
  readonly #given: Given;
  readonly #redact: Redact;
  readonly #selection: Selection;
  readonly #workflowRule: MapTree | undefined;
  #names: JobNames | undefined;

  constructor(given: Given) {
    const { request, loaded } = given;
    const { configuration, scene } = loaded;
    this.#given = given;
    this.#redact = redactionOf(scene.given);
    const outcome = decideWorkflow(configuration, request, scene);
    const workflow: Workflow =
      'emptyBecause' in outcome ? { variables: new Map(), scope: scene.scope } : outcome;
    this.#selection = selectionOf({ configuration, request, scene, workflow, problems: new Problems() });
    this.workflow = configuration.workflowRules && this.#traceWorkflow(configuration.workflowRules);
    this.#workflowRule = this.#decidingTree(
      child(configuration.tree, 'workflow'),
      configuration.workflowRules,
    );
    this.refusal = 'emptyBecause' in outcome ? this.#refusal(outcome.emptyBecause) : undefined;
  }

  #refusal(plain: string): string {
    const never = this.workflow?.rules.find(({ holds }) => holds);
    return never ? `${plain}: rule ${never.number} (${placeOf(never.position)}) says when: never` : plain;
  }

  #traceWorkflow(rules: readonly Rule[]): RulesTrace {
    const { configuration, scene } = this.#given.loaded;
    const variables = [...definedVariables(configuration.variables, 'global'), ...scene.given];
    const context = ruleContext(this.#given.request, scene, new VariableScope(variables, scene.base));
    const places = this.#places(undefined, undefined);
    return traceRules(rules, context, this.#witness([...scene.base.variables, ...variables], places));
  }

  #decidingTree(owner: Tree | undefined, rules: readonly Rule[] | undefined): MapTree | undefined {
    const number = this.workflow?.rules.find(({ holds }) => holds)?.number;
    return number === undefined ? undefined : ruleTree(owner, rules?.[number - 1]);
  }

  #places(job: MapTree | undefined, rule: MapTree | undefined): VariablePlaces {
    const { loaded, request } = this.#given;
    const { tree } = loaded.configuration;
    const nothing: MapTree = { kind: 'map', entries: new Map(), at: tree.at };
    return {
      configuration: tree,
      job: job ?? nothing,
      workflowRule: this.#workflowRule,
      rule,
      given: request.variableOrigins,
    };
  }

  #witness(candidates: readonly Variable[], places: VariablePlaces): Witness {
    const winners = new Map(strongest(candidates).map((variable) => [variable.key, variable]));
    const origin = (name: string): VariableOrigin | undefined => {
      const variable = winners.get(name);
      return variable && originOf(variable, places);
    };
    return { origin, redact: this.#redact };
  }

  explain(instance: Instance): InstanceExplanation {
    const selected = selectJob(instance, this.#selection);
    const job = this.#jobTree(instance);
    return {
      name: instance.name,
      in: selected !== undefined,
      ...this.#trace(instance, job, selected !== undefined),
      result: selected && this.#result(selected),
      needs: this.#needs(instance, selected?.rule),
      variables: this.#variables(instance, selected?.rule, job),
    };
  }

  #trace(
    instance: Instance,
    job: MapTree,
    isIn: boolean,
  ): Pick<InstanceExplanation, 'reason' | 'rules' | 'filters'> {
    const { configuration, origin, base } = this.#selection;
    const { keywords } = instance.definition;
    const { scope, candidates } = scopeOf(instance, undefined, this.#selection);
    const context = contextOf(scope, this.#selection);
    const witness = this.#witness([...base.variables, ...candidates], this.#places(job, undefined));
    if (keywords.rules) {
      const rules = traceRules(keywords.rules, context, witness);
      return { rules, filters: [], reason: rulesReason(rules, keywords.when) };
    }
    const hasWorkflow = configuration.workflowRules !== undefined;
    const filters = traceFilters(instance.definition, job, { context, origin, witness, hasWorkflow });
    const { facts, source } = this.#given.request;
    const isNever = !isIn && keywords.when === 'never';
    const reason = isNever
      ? 'the job says when: never'
      : filtersReason(filters, isIn, pipelineKind(facts, source ?? 'push'));
    return { rules: undefined, filters, reason };
  }

  #jobTree({ definition }: Instance): MapTree {
    const { tree } = this.#given.loaded.configuration;
    const value = tree.entries.get(definition.name)?.value;
    return value?.kind === 'map' ? value : { kind: 'map', entries: new Map(), at: definition.at };
  }

  #variables(instance: Instance, rule: Rule | undefined, job: MapTree): InstanceExplanation['variables'] {
    const { candidates, scope } = scopeOf(instance, rule, this.#selection);
    return traceVariables([...this.#selection.base.variables, ...candidates], {
      places: this.#places(job, ruleTree(job, rule)),
      scope,
      redact: this.#redact,
      origins: this.#given.origins,
      job: instance.definition.name,
    });
  }

  #result(selected: SelectedJob): InstanceExplanation['result'] {
    const job = makeJob(selected, this.#jobNames());
    const { when, startInSeconds, allowFailure, environment } = job;
    return { when, startInSeconds, allowFailure, environment: environment && this.#redact(environment.name) };
  }

  #needs(instance: Instance, rule: Rule | undefined): readonly NeedTrace[] | undefined {
    const { keywords, foreignNeeds } = instance.definition;
    const written = rule?.needs ?? keywords.needs;
    if (!written && foreignNeeds.length === 0) return undefined;
    const setting = { names: this.#jobNames(), absence: (name: string) => this.#absence(name) };
    return [
      ...traceNeeds(needsOfInstance(instance, written ?? []), setting),
      ...foreignNeeds.map(traceForeignNeed),
    ];
  }

  /** Why a job, known by its own name or an instance's, is not in the pipeline; undefined: there is none. */
  #absence(name: string): string | undefined {
    for (const job of this.#selection.configuration.jobs) {
      if (job.name !== name && !name.startsWith(job.name)) continue;
      const found = instancesOf(job).find((one) => job.name === name || one.name === name);
      if (found) return this.#trace(found, this.#jobTree(found), false).reason;
    }
    return undefined;
  }

  #jobNames(): JobNames {
    const { configuration } = this.#selection;
    this.#names ??= new JobNames(
      configuration,
      configuration.jobs.flatMap(instancesOf).filter((instance) => selectJob(instance, this.#selection)),
      new Problems(),
    );
    return this.#names;
  }
}

/** The map that a rule was read from. */
function ruleTree(owner: Tree | undefined, rule: Rule | undefined): MapTree | undefined {
  const rules = child(owner, 'rules');
  if (!rules || !rule) return undefined;
  const unheard = { problems: new Problems(), subject: '', keyword: '' };
  const found = flatten(rules, unheard).find((one) => one.at === rule.at);
  return found?.kind === 'map' ? found : undefined;
}
