import { JobNames, checkNeedCycles, checkOnStop } from './check-needs.ts';
import { firstHolding } from './conditions.ts';
import { loadConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { freezeDeep } from './freeze.ts';
import { instancesOf } from './instances.ts';
import type { VariableDefinitions } from './keywords/common.ts';
import type { Rule } from './keywords/rules.ts';
import { makeJob } from './make-job.ts';
import type { Job, Pipeline, PipelineRequest, PipelineResult, Variable } from './pipeline.ts';
import { Problems } from './problems.ts';
import { includeContext, prepareScene, ruleContext } from './scene.ts';
import type { Scene } from './scene.ts';
import { definedVariables, selectJob } from './select-jobs.ts';
import type { SelectedJob, Selection } from './select-jobs.ts';
import { expandVariables } from './variables/expand.ts';
import { VariableScope } from './variables/scope.ts';

/**
 * Decides which jobs a commit gets. Depends on its argument alone, changes nothing, never throws for what users
 * write: mistakes are in `problems`, all of them at once.
 */
export function createPipeline(request: PipelineRequest): PipelineResult {
  const problems = new Problems();
  const scene = prepareScene(request, problems);
  const result = resultOf(request, scene, problems);
  // Asked while the result was made.
  return { ...result, ...scene.outside.result };
}

function resultOf(request: PipelineRequest, scene: Scene, problems: Problems): PipelineResult {
  const context = includeContext(request, scene, problems);
  const configuration = loadConfiguration(request.child ?? scene.configPath, context);
  if (!configuration) return finish(undefined, problems, undefined);
  checkOnStop(configuration, problems);
  const outcome = decideWorkflow(configuration, request, scene);
  if ('emptyBecause' in outcome) return finish(undefined, problems, outcome.emptyBecause);
  const selection = selectionOf({ configuration, request, scene, workflow: outcome, problems });
  return assemblePipeline(selection, outcome);
}

interface SelectionParts {
  readonly configuration: Configuration;
  readonly request: PipelineRequest;
  readonly scene: Scene;
  readonly workflow: Workflow;
  readonly problems: Problems;
}

export function selectionOf(parts: SelectionParts): Selection {
  const { configuration, request, scene, workflow, problems } = parts;
  return {
    configuration,
    base: scene.base,
    workflowVariables: workflow.variables,
    given: scene.given,
    changedPaths: request.facts.changedPaths,
    elsewhere: scene.elsewhere,
    origin: {
      source: request.source ?? 'push',
      branch: request.facts.branch,
      tag: request.facts.tag,
      projectPath: request.facts.projectPath,
    },
    problems,
  };
}

export interface Workflow {
  readonly variables: VariableDefinitions;
  readonly autoCancel?: NonNullable<Pipeline['autoCancel']>;
  readonly scope: VariableScope;
}

/** What workflow:rules say. */
export function decideWorkflow(
  configuration: Configuration,
  request: PipelineRequest,
  scene: Scene,
): Workflow | { readonly emptyBecause: string } {
  const globals = definedVariables(configuration.variables, 'global');
  const scope = new VariableScope([...globals, ...scene.given], scene.base);
  if (configuration.workflowRules === undefined) {
    return { variables: new Map(), scope, ...autoCancelOf(configuration, undefined) };
  }
  const rule = firstHolding(configuration.workflowRules, ruleContext(request, scene, scope));
  if (!rule) return { emptyBecause: 'none of workflow:rules holds for this commit' };
  if (rule.when === 'never') return { emptyBecause: 'workflow:rules refuse a pipeline for this commit' };
  const own = definedVariables(rule.variables, 'workflow');
  return {
    variables: rule.variables,
    ...autoCancelOf(configuration, rule),
    scope: new VariableScope([...globals, ...own, ...scene.given], scene.base),
  };
}

/** A rule's word comes before the workflow's own; absent when neither has one. */
function autoCancelOf({ autoCancel }: Configuration, rule: Rule | undefined): Pick<Pipeline, 'autoCancel'> {
  const own = rule?.autoCancel;
  if (!autoCancel && !own) return {};
  const onNewCommit = own?.onNewCommit ?? autoCancel?.onNewCommit ?? 'conservative';
  const onJobFailure = own?.onJobFailure ?? autoCancel?.onJobFailure ?? 'none';
  return { autoCancel: { onNewCommit, onJobFailure } };
}

function assemblePipeline(selection: Selection, { scope, autoCancel }: Workflow): PipelineResult {
  const { configuration, problems } = selection;
  const selected = configuration.jobs
    .flatMap(instancesOf)
    .flatMap((instance) => selectJob(instance, selection) ?? []);
  checkVariableCycles(selected, scope, problems);
  const names = new JobNames(
    configuration,
    selected.map((job) => job.instance),
    problems,
  );
  const jobs = selected
    .map((job) => makeJob(job, names))
    .toSorted((a, b) => names.rank(a.stage) - names.rank(b.stage));
  const marks = new Map(selected.map((job) => [job.instance.name, job.instance.definition.at]));
  checkNeedCycles(
    jobs.flatMap((job) => ({ name: job.name, at: marks.get(job.name)!, needs: job.needs })),
    problems,
  );
  const emptyBecause = whyEmpty(jobs);
  const pipeline: Pipeline = {
    name: pipelineName(configuration, scope),
    stages: [...new Set(jobs.map((job) => job.stage))],
    jobs,
    variables: selection.base.variables,
    ...(autoCancel ? { autoCancel } : {}),
  };
  return finish(emptyBecause === undefined ? pipeline : undefined, problems, emptyBecause);
}

function whyEmpty(jobs: readonly Job[]): string | undefined {
  if (jobs.length === 0) return 'the rules of every job leave it out for this commit';
  const edges = jobs.every((job) => job.stage === '.pre' || job.stage === '.post');
  return edges ? 'only jobs of the stages .pre and .post are left, which make no pipeline' : undefined;
}

function pipelineName(configuration: Configuration, scope: VariableScope): string | undefined {
  const name =
    configuration.name === undefined ? '' : expandVariables(configuration.name, scope.expanded).trim();
  return name === '' ? undefined : name.slice(0, 255);
}

function checkVariableCycles(
  selected: readonly SelectedJob[],
  scope: VariableScope,
  problems: Problems,
): void {
  if (scope.cycle) {
    problems.add(
      'variable-cycle',
      undefined,
      `variables refer to each other in a circle: ${scope.cycle.join(' -> ')}`,
    );
    return;
  }
  for (const { instance, scope: own } of selected) {
    const cycle = own.cycleFrom(({ source }) => isOfJob(source));
    if (!cycle) continue;
    const message = `job ${instance.name}: variables refer to each other in a circle: ${cycle.join(' -> ')}`;
    problems.add('variable-cycle', instance.definition.at, message);
  }
}

const isOfJob = (source: Variable['source']): boolean => ['job', 'matrix', 'rule'].includes(source);

function finish(
  pipeline: Pipeline | undefined,
  problems: Problems,
  emptyBecause: string | undefined,
): PipelineResult {
  const list = problems.list();
  if (problems.hasErrors) return { pipeline: undefined, problems: list, emptyBecause: undefined };
  return { pipeline: pipeline && freezeDeep(pipeline), problems: list, emptyBecause };
}
