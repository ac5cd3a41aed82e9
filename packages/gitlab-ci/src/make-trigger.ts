import { firstHolding } from './conditions.ts';
import type { RuleContext } from './conditions.ts';
import type { ChildIncludeDefinition, TriggerDefinition } from './keywords/trigger.ts';
import type { ChildInclude, TriggerRequest } from './pipeline.ts';
import { positionOf } from './tree.ts';
import type { MapTree, Tree } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

/** The trigger of a job that is in the pipeline: variables put in, includes whose rules say no left out. */
export function makeTrigger(definition: TriggerDefinition, context: RuleContext): TriggerRequest {
  const expand = (text: string): string => expandVariables(text, context.expanded);
  const { target } = definition;
  if (target.kind === 'project') {
    const branch = target.branch === undefined ? undefined : expand(target.branch);
    return { ...definition, target: { kind: 'project', project: expand(target.project), branch } };
  }
  const includes = target.includes.filter((include) => isWanted(include, context));
  return {
    ...definition,
    target: { kind: 'child', includes: includes.map((include) => childInclude(include, expand)) },
  };
}

function isWanted({ entry }: ChildIncludeDefinition, context: RuleContext): boolean {
  if (!entry.rules || entry.rules.length === 0) return true;
  const rule = firstHolding(entry.rules, context);
  return rule !== undefined && rule.when !== 'never';
}

function childInclude(
  { keys, inputs, entry }: ChildIncludeDefinition,
  expand: (text: string) => string,
): ChildInclude {
  const expanded = Object.entries(keys).map(
    ([key, value]) => [key, typeof value === 'string' ? expand(value) : value.map(expand)] as const,
  );
  return {
    position: positionOf(entry.at),
    entry: Object.fromEntries(expanded),
    inputs: inputs ? valuesOf(inputs) : {},
  };
}

/** With the types that YAML gives them: an input that is a number must stay one. */
const valuesOf = (tree: MapTree): Readonly<Record<string, unknown>> =>
  Object.fromEntries([...tree.entries].map(([key, entry]) => [key, valueOf(entry.value)]));

function valueOf(tree: Tree): unknown {
  if (tree.kind === 'leaf') return tree.value;
  if (tree.kind === 'list') return tree.items.map(valueOf);
  return tree.kind === 'map' ? valuesOf(tree) : [...tree.path];
}
