import { JobNames, checkNeedCycles, checkOnStop } from './check-needs.ts';
import { loadConfiguration, readConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { instancesOf, needsOfInstance } from './instances.ts';
import type { NeedDefinition } from './keywords/needs.ts';
import { spec } from './keywords/spec.ts';
import type { CommitFacts, PipelineRequest, Problem, Question } from './pipeline.ts';
import { Problems } from './problems.ts';
import { defaultConfigPath, includeContext, prepareScene } from './scene.ts';
import { definedVariables } from './select-jobs.ts';
import { SourceFile, withoutEntry } from './tree.ts';
import type { MapTree } from './tree.ts';
import { VariableScope, baseOf } from './variables/scope.ts';
import { readYaml } from './yaml/read-yaml.ts';

export interface LintRequest extends Omit<PipelineRequest, 'facts'> {
  /** Without a commit, variables of one are undefined in `include:rules`. */
  readonly facts?: CommitFacts;
  /** Only the shapes of keywords in this one file, as an editor does: no include is opened, no name looked up. */
  readonly schemaOnly?: boolean;
}

export interface LintResult {
  readonly problems: readonly Problem[];
  /** As of a `PipelineResult`. */
  readonly questions?: readonly Question[];
}

/** Everything that is wrong with a configuration, whichever jobs a commit would get. */
export function lintConfiguration(request: LintRequest): LintResult {
  const problems = new Problems();
  const path = request.configPath ?? defaultConfigPath(request.files);
  if (request.schemaOnly) {
    lintShapes(path, request, problems);
    return { problems: problems.list() };
  }
  const asked = lintFully({ ...request, configPath: path, facts: request.facts ?? NO_COMMIT }, problems);
  return { problems: problems.list(), ...asked };
}

/** Stands in where nobody named a commit. */
export const NO_COMMIT: CommitFacts = {
  sha: '0'.repeat(40),
  beforeSha: '0'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: undefined,
  message: '',
  author: '',
  timestamp: '1970-01-01T00:00:00+00:00',
  defaultBranch: 'main',
  projectName: 'project',
  projectPath: 'local/project',
  projectUrl: undefined,
  userName: '',
  userEmail: '',
  changedPaths: undefined,
};

function lintFully(request: PipelineRequest, problems: Problems): Pick<LintResult, 'questions'> {
  const scene = prepareScene(request, problems);
  const context = includeContext(request, scene, problems);
  const configuration = loadConfiguration(request.child ?? scene.configPath, context);
  if (configuration) {
    checkOnStop(configuration, problems);
    lintNeeds(configuration, problems);
    lintVariables(configuration, problems);
  }
  return scene.outside.result;
}

/** As if every job were in the pipeline. */
function lintNeeds(configuration: Configuration, problems: Problems): void {
  const all = configuration.jobs.map((job) => ({ job, instances: instancesOf(job) }));
  const names = new JobNames(
    configuration,
    all.flatMap(({ instances }) => instances),
    problems,
  );
  const jobs = all.flatMap(({ job, instances }) =>
    instances.map((instance) => {
      const resolve = (needs: readonly NeedDefinition[]) =>
        names.resolveNeeds(job, needsOfInstance(instance, needs));
      for (const rule of job.keywords.rules ?? []) if (rule.needs) resolve(rule.needs);
      const needs = job.keywords.needs && resolve(job.keywords.needs);
      names.resolveDependencies(job, needs);
      return { name: instance.name, at: job.at, needs };
    }),
  );
  checkNeedCycles(jobs, problems);
}

function lintVariables(configuration: Configuration, problems: Problems): void {
  const globals = definedVariables(configuration.variables, 'global');
  const nothing = baseOf([]);
  const shared = new VariableScope(globals, nothing);
  if (shared.cycle) {
    const message = `variables refer to each other in a circle: ${shared.cycle.join(' -> ')}`;
    problems.add('variable-cycle', configuration.tree.entries.get('variables')?.at, message);
    return;
  }
  for (const { name, at, keywords } of configuration.jobs) {
    if (!keywords.variables) continue;
    const { cycle } = new VariableScope(
      [...globals, ...definedVariables(keywords.variables, 'job')],
      nothing,
    );
    if (!cycle) continue;
    problems.add(
      'variable-cycle',
      at,
      `job ${name}: variables refer to each other in a circle: ${cycle.join(' -> ')}`,
    );
  }
}

function lintShapes(path: string, { files }: LintRequest, problems: Problems): void {
  const text = files.read(path);
  if (text === undefined) {
    problems.add('file-missing', undefined, `there is no ${path}`);
    return;
  }
  const documents = readYaml(new SourceFile(path, text), problems);
  for (const document of documents) {
    if (document.kind === 'map') lintShape(document, path, problems);
    else if (documents.length === 1)
      problems.add('not-a-map', document.at, `${path} must be a map of keywords and jobs`);
  }
}

function lintShape(document: MapTree, path: string, problems: Problems): void {
  const header = document.entries.get('spec');
  if (header) spec(header.value, { problems, subject: path, keyword: 'spec' });
  const body = withoutEntry(document, 'spec');
  if (body.entries.size > 0) readConfiguration(body, problems, { shapesOnly: true });
}
