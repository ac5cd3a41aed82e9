import { firstHolding } from './conditions.ts';
import type { RuleContext } from './conditions.ts';
import type { Configuration } from './configuration.ts';
import { parseDuration } from './duration.ts';
import { IMPLICIT_ONLY, passesFilters } from './filters.ts';
import type { PipelineOrigin } from './filters.ts';
import { matrixVariables } from './instances.ts';
import type { Instance } from './instances.ts';
import type { VariableDefinitions } from './keywords/common.ts';
import { guessTier } from './keywords/environment.ts';
import type { Rule } from './keywords/rules.ts';
import type { EnvironmentRequest, Variable } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { expandVariables } from './variables/expand.ts';
import { VariableScope } from './variables/scope.ts';
import type { BaseVariables } from './variables/scope.ts';
import { environmentSlug, refSlug } from './variables/slug.ts';

/** Everything outside of one job that decides whether it is in the pipeline. */
export interface Selection {
  readonly configuration: Configuration;
  readonly base: BaseVariables;
  /** Of workflow:rules. */
  readonly workflowVariables: VariableDefinitions;
  /** Project and pipeline variables. */
  readonly given: readonly Variable[];
  readonly changedPaths: RuleContext['changedPaths'];
  readonly elsewhere: RuleContext['elsewhere'];
  readonly origin: PipelineOrigin;
  readonly problems: Problems;
}

/** An instance that is in the pipeline, with the rule that let it in. */
export interface SelectedJob {
  readonly instance: Instance;
  readonly rule: Rule | undefined;
  readonly scope: VariableScope;
  /** With the variables of the rule in it. */
  readonly context: RuleContext;
  readonly environment: EnvironmentRequest | undefined;
}

/** Whether this commit gets the job; undefined when its rules say no. */
export function selectJob(instance: Instance, selection: Selection): SelectedJob | undefined {
  const { keywords } = instance.definition;
  const before = scopeOf(instance, undefined, selection);
  const decision = decide(instance, before.scope, selection);
  if (decision === 'no') return undefined;
  const rule = decision === 'yes' ? undefined : decision;
  const { scope, environment } =
    rule && rule.variables.size > 0 ? scopeOf(instance, rule, selection) : before;
  const when = rule?.when ?? keywords.when;
  if (when === 'never') return undefined;
  return { instance, rule, scope, context: contextOf(scope, selection), environment };
}

function decide(instance: Instance, scope: VariableScope, selection: Selection): Rule | 'yes' | 'no' {
  const { keywords } = instance.definition;
  const context = contextOf(scope, selection);
  if (keywords.rules) return firstHolding(keywords.rules, context) ?? 'no';
  const { only, except } = keywords;
  const implicit = !only && !except && selection.configuration.workflowRules === undefined;
  const wanted = implicit || (!only && except) ? IMPLICIT_ONLY : only;
  return passesFilters(wanted, except, { context, origin: selection.origin }) ? 'yes' : 'no';
}

/** What the rules of one job look at. */
export function contextOf(scope: VariableScope, selection: Selection): RuleContext {
  const { changedPaths, elsewhere } = selection;
  return { variable: scope.variable, expanded: scope.expanded, changedPaths, elsewhere };
}

interface ScopeOfJob {
  /** Everything given for this job, the weaker ones of the same key too. */
  readonly candidates: readonly Variable[];
  readonly scope: VariableScope;
  readonly environment: EnvironmentRequest | undefined;
}

/** The variables of one job, with those of the rule that let it in. */
export function scopeOf(instance: Instance, rule: Rule | undefined, selection: Selection): ScopeOfJob {
  const variables = [
    ...predefinedOf(instance),
    ...inherited(instance, selection),
    ...definedVariables(instance.definition.keywords.variables, 'job'),
    ...matrixVariables(instance),
    ...definedVariables(rule?.variables, 'rule'),
    ...selection.given,
  ];
  const anywhere = new VariableScope(variables, selection.base);
  const environment = environmentOf(instance, anywhere);
  if (!environment) return { candidates: variables, scope: anywhere, environment };
  const candidates = [...environmentVariables(environment), ...variables];
  const scope = new VariableScope(candidates, selection.base, environment.name);
  return { candidates, scope, environment };
}

const NONE: readonly Variable[] = [];
/** All jobs have the global ones, many the ones of a template: made once. */
const made = new WeakMap<VariableDefinitions, { source: Variable['source']; all: readonly Variable[] }>();

export function definedVariables(
  definitions: VariableDefinitions | undefined,
  source: Variable['source'],
): readonly Variable[] {
  if (!definitions || definitions.size === 0) return NONE;
  const known = made.get(definitions);
  if (known?.source === source) return known.all;
  const all = Array.from(definitions, ([key, { value, raw }]): Variable =>
    raw ? { key, value, raw, source } : { key, value, source },
  );
  made.set(definitions, { source, all });
  return all;
}

function inherited(instance: Instance, { configuration, workflowVariables }: Selection): readonly Variable[] {
  const which = instance.definition.keywords.inherit?.variables ?? true;
  if (which === false) return [];
  const globals = definedVariables(configuration.variables, 'global');
  const ofWorkflow = definedVariables(workflowVariables, 'workflow');
  const all = ofWorkflow.length === 0 ? globals : [...globals, ...ofWorkflow];
  return which === true ? all : all.filter(({ key }) => which.includes(key));
}

const predefined = (key: string, value: string, raw = true): Variable =>
  raw ? { key, value, raw, source: 'predefined' } : { key, value, source: 'predefined' };

function predefinedOf(instance: Instance): readonly Variable[] {
  const { definition, name, index, total } = instance;
  const { image, when } = definition.keywords;
  return [
    predefined('CI_JOB_NAME', name),
    predefined('CI_JOB_NAME_SLUG', refSlug(name)),
    predefined('CI_JOB_GROUP_NAME', definition.name),
    predefined('CI_JOB_STAGE', definition.stage),
    predefined('CI_NODE_TOTAL', String(total)),
    ...(index === undefined ? [] : [predefined('CI_NODE_INDEX', String(index))]),
    ...(image ? [predefined('CI_JOB_IMAGE', image.name, false)] : []),
    ...(when === 'manual' ? [predefined('CI_JOB_MANUAL', 'true')] : []),
  ];
}

function environmentOf(instance: Instance, scope: VariableScope): EnvironmentRequest | undefined {
  const written = instance.definition.keywords.environment;
  if (!written) return undefined;
  const name = expandVariables(written.name, scope.expanded);
  return {
    name,
    slug: environmentSlug(name),
    url: written.url,
    action: written.action,
    onStop: written.onStop,
    autoStopInSeconds: written.autoStopInSeconds ?? autoStopIn(written.autoStopText, scope),
    tier: written.tier ?? guessTier(name),
  };
}

/** A text that is no duration after all stops nothing. */
const autoStopIn = (text: string | undefined, scope: VariableScope): number | undefined =>
  text === undefined ? undefined : parseDuration(expandVariables(text, scope.expanded));

function environmentVariables({ name, slug, url, action, tier }: EnvironmentRequest): readonly Variable[] {
  return [
    predefined('CI_ENVIRONMENT_NAME', name),
    predefined('CI_ENVIRONMENT_SLUG', slug),
    predefined('CI_ENVIRONMENT_ACTION', action),
    predefined('CI_ENVIRONMENT_TIER', tier),
    ...(url === undefined ? [] : [predefined('CI_ENVIRONMENT_URL', url, false)]),
  ];
}
