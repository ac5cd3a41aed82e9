import { includeEntry } from '../include-entry.ts';
import type { IncludeEntry } from '../include-entry.ts';
import type { ChildInclude, TriggerRequest } from '../pipeline.ts';
import { child, isText } from '../tree.ts';
import type { MapTree, Tree } from '../tree.ts';
import { anything, filledText, flag, listOf, mapOf, oneOf, record, refuse, report } from './readers.ts';
import type { Reader, Scope } from './readers.ts';

/** One entry of `trigger:include`, variables still in it. */
export interface ChildIncludeDefinition {
  readonly keys: ChildInclude['entry'];
  readonly inputs: MapTree | undefined;
  readonly entry: IncludeEntry;
}

export type TriggerDefinition = Omit<TriggerRequest, 'target'> & {
  readonly target:
    | { readonly kind: 'child'; readonly includes: readonly ChildIncludeDefinition[] }
    | { readonly kind: 'project'; readonly project: string; readonly branch: string | undefined };
};

const PROJECT_PATH = /^(?=[^]*(?:\/|\$))(?!\/)[\w.${}\-/]*[^/]$/;

const projectPath: Reader<string> = (tree, scope) =>
  isText(tree) && PROJECT_PATH.test(tree.value)
    ? tree.value
    : refuse(scope, tree, 'the path of a project, such as group/project');

/** Keys of an entry that say where the file is. */
const PLACE = [
  'local',
  'template',
  'component',
  'remote',
  'integrity',
  'project',
  'file',
  'ref',
  'artifact',
  'job',
];

const childInclude: Reader<ChildIncludeDefinition> = (tree, scope) => {
  const entry = includeEntry(tree, scope);
  if (!entry) return undefined;
  const project = child(tree, 'project');
  if (project && projectPath(project, { ...scope, keyword: `${scope.keyword}:project` }) === undefined)
    return undefined;
  if (tree.kind === 'map') return { keys: placeOf(tree), inputs: entry.inputs, entry };
  const { target } = entry;
  const location = 'location' in target ? target.location : '';
  return { keys: { [target.kind]: location }, inputs: undefined, entry };
};

function placeOf(tree: MapTree): ChildInclude['entry'] {
  return Object.fromEntries(
    PLACE.flatMap((key) => {
      const value = tree.entries.get(key)?.value;
      return value ? [[key, textsOf(value)] as const] : [];
    }),
  );
}

const textsOf = (tree: Tree): string | readonly string[] =>
  tree.kind === 'list' ? tree.items.map((item) => (item.kind === 'leaf' ? item.text : '')) : textOf(tree);
const textOf = (tree: Tree): string => (tree.kind === 'leaf' ? tree.text : '');

const MAX_INCLUDES = 3;
const childIncludes = listOf(childInclude, { min: 1, max: MAX_INCLUDES });

const fields = record({
  project: projectPath,
  branch: filledText,
  include: (tree, scope) => {
    if (tree.kind === 'list') return childIncludes(tree, scope);
    const one = childInclude(tree, scope);
    return one && [one];
  },
  strategy: oneOf('depend', 'mirror'),
  forward: record({ yaml_variables: flag, pipeline_variables: flag }),
  inputs: mapOf(anything),
});

export const trigger: Reader<TriggerDefinition> = (tree, scope) => {
  if (tree.kind !== 'map') {
    const project = projectPath(tree, scope);
    return project === undefined ? undefined : { ...DEFAULTS, target: foreign({ project }, tree, scope) };
  }
  const read = fields(tree, scope);
  const target = read && targetOf(read, tree, scope);
  return (
    target && {
      target,
      strategy: read.strategy,
      forwardYamlVariables: read.forward?.yaml_variables ?? true,
      forwardPipelineVariables: read.forward?.pipeline_variables ?? false,
    }
  );
};

const DEFAULTS = {
  strategy: undefined,
  forwardYamlVariables: true,
  forwardPipelineVariables: false,
} as const;

type ReadTrigger = NonNullable<ReturnType<typeof fields>>;

function targetOf(read: ReadTrigger, tree: MapTree, scope: Scope): TriggerDefinition['target'] | undefined {
  const has = (key: string): boolean => tree.entries.has(key);
  if (!has('project') && !has('include'))
    return report(scope, 'missing-keyword', tree.at, `${scope.keyword} must name a project or an include`);
  if (has('include') && (has('project') || has('branch'))) {
    const other = has('project') ? 'project' : 'branch';
    const message = `${scope.keyword}:include and ${scope.keyword}:${other} exclude each other`;
    return report(scope, 'conflicting-keywords', tree.at, message);
  }
  if (read.project !== undefined) return foreign({ project: read.project, branch: read.branch }, tree, scope);
  const shared = child(tree, 'inputs');
  const inputs = shared?.kind === 'map' ? shared : undefined;
  return (
    read.include && {
      kind: 'child',
      includes: read.include.map((one) => ({ ...one, inputs: one.inputs ?? inputs })),
    }
  );
}

function foreign(
  { project, branch }: { readonly project: string; readonly branch?: string | undefined },
  tree: Tree,
  scope: Scope,
): TriggerDefinition['target'] {
  const message = `${scope.keyword} starts a pipeline of the project ${project}, which cannot be done here: the job fails when it comes to it`;
  report(scope, 'unsupported-keyword', tree.at, message);
  return { kind: 'project', project, branch };
}
