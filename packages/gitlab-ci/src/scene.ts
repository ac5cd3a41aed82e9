import type { Elsewhere, RuleContext } from './conditions.ts';
import type { IncludeContext } from './include.ts';
import { Outside } from './outside.ts';
import type { Answer, CommitFiles, PipelineRequest, Question, Variable } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { predefinedVariables } from './variables/predefined.ts';
import type { Mark } from './tree.ts';
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
  readonly outside: Outside;
  readonly elsewhere: Elsewhere;
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
  const outside = new Outside(request.answers);
  return {
    configPath,
    base,
    given,
    scope,
    outside,
    elsewhere: elsewhereOf(request.files, outside, problems),
  };
}

/** Rules go on with what is most likely when an answer cannot be had, and the user hears of it. */
function elsewhereOf(files: CommitFiles, outside: Outside, problems: Problems): Elsewhere {
  const pathsOf = (question: Question, warn: (why: string) => void): readonly string[] | undefined => {
    const answer = outside.ask(question);
    if (answer === 'pending') return undefined;
    if (answer !== 'unanswerable' && answer.kind === 'paths') return answer.paths;
    warn(whyNot(answer));
    return undefined;
  };
  let own: readonly string[] | undefined;
  return {
    ownTree: () => (own ??= files.list()),
    changedSince: (compareTo, at: Mark) =>
      pathsOf({ kind: 'changes', compareTo }, (why) =>
        problems.add(
          'changes-unknown',
          at,
          `rules:changes:compare_to ${compareTo}: ${why}; the rule counts as changed`,
        ),
      ),
    treeOf: (project, ref, at: Mark) =>
      pathsOf({ kind: 'project-tree', project, ref }, (why) =>
        problems.add(
          'exists-unknown',
          at,
          `rules:exists:project ${project}: ${why}; the rule counts as not matching`,
        ),
      ),
  };
}

/** Everything that reading the configuration takes. */
export const includeContext = (
  request: PipelineRequest,
  scene: Scene,
  problems: Problems,
): IncludeContext => ({
  files: request.files,
  problems,
  outside: scene.outside,
  rules: ruleContext(request, scene),
  inputs: request.inputs,
  isMasked: scene.scope.isMasked,
});

/** Why an answer is none, as part of a sentence. */
export function whyNot(answer: Answer | 'unanswerable'): string {
  if (answer === 'unanswerable') return 'nothing outside of this commit can be looked at here';
  if (answer.kind !== 'unavailable') return 'the answer is of the wrong kind';
  const message = answer.message.replace(/[.\s]+$/, '');
  return answer.next === undefined ? message : `${message} (${answer.next.replace(/[.\s]+$/, '')})`;
}

export const ruleContext = (
  request: PipelineRequest,
  scene: Scene,
  scope: VariableScope = scene.scope,
): RuleContext => ({
  variable: scope.variable,
  expanded: scope.expanded,
  changedPaths: request.facts.changedPaths,
  elsewhere: scene.elsewhere,
});
