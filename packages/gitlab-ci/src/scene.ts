import type { RuleContext } from './conditions.ts';
import type { PipelineRequest, Variable } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { predefinedVariables } from './variables/predefined.ts';
import { VariableScope, baseOf } from './variables/scope.ts';
import type { BaseVariables } from './variables/scope.ts';

const CONFIG_PATHS = ['.gitlab-ci.yml', '.gitlab/gitlab-ci.yml'] as const;

/** Where the configuration is when nobody says: GitLab's own place, then this project's. */
export function defaultConfigPath(files: PipelineRequest['files']): string {
  const present = new Set(files.list());
  return CONFIG_PATHS.find((path) => present.has(path)) ?? CONFIG_PATHS[0];
}

/** What is known before the configuration is read. */
export interface Scene {
  readonly configPath: string;
  readonly base: BaseVariables;
  readonly given: readonly Variable[];
  readonly scope: VariableScope;
}

export function prepareScene(request: PipelineRequest, problems: Problems): Scene {
  const configPath = request.configPath ?? defaultConfigPath(request.files);
  const base = baseOf(
    predefinedVariables(request.facts, {
      configPath,
      ...(request.source === undefined ? {} : { source: request.source }),
      ...(request.createdAt === undefined ? {} : { createdAt: request.createdAt }),
    }),
  );
  const given = [...(request.projectVariables ?? []), ...(request.pipelineVariables ?? [])];
  const scope = new VariableScope(given, base);
  if (scope.cycle) {
    problems.add(
      'variable-cycle',
      undefined,
      `the given variables refer to each other in a circle: ${scope.cycle.join(' -> ')}`,
    );
  }
  return { configPath, base, given, scope };
}

export const ruleContext = (request: PipelineRequest, scope: VariableScope): RuleContext => ({
  variable: scope.variable,
  expanded: scope.expanded,
  files: request.files,
  changedPaths: request.facts.changedPaths,
});
