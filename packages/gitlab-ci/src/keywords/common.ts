import { parseDuration } from '../duration.ts';
import { isText } from '../tree.ts';
import { filledText, flag, flatten, mapped, oneOf, oneOrList, record, refuse, report } from './readers.ts';
import type { Reader } from './readers.ts';

/** A script: a text is one command; lists in lists become one list. */
export const script: Reader<readonly string[]> = (tree, scope) => {
  if (isText(tree)) return tree.value === '' ? [] : [tree.value];
  if (tree.kind !== 'list') return refuse(scope, tree, 'a text or a list of texts');
  return flatten(tree, scope).flatMap((line) => {
    if (isText(line)) return [line.value];
    const hint = line.kind === 'map' ? ' (quote a command that contains ": ")' : ' (put it in quotes)';
    refuse(scope, line, `a text or a list of texts${hint}`);
    return [];
  });
};

/** The script of a job may not be empty. */
export const filledScript: Reader<readonly string[]> = mapped(script, (lines, tree, scope) =>
  lines.length === 0 && (isText(tree) || (tree.kind === 'list' && tree.items.length === 0))
    ? refuse(scope, tree, 'at least one command')
    : lines,
);

/** In seconds. */
export const duration: Reader<number> = (tree, scope) => {
  const seconds = tree.kind === 'leaf' && tree.value !== null ? parseDuration(tree.text) : undefined;
  if (seconds === undefined || seconds <= 0)
    return refuse(scope, tree, 'a duration such as 1h 30m or 2 weeks');
  return seconds;
};

const WEEK = 604_800;

/** `start_in`. */
export const delay: Reader<number> = mapped(duration, (seconds, tree, scope) =>
  seconds <= WEEK
    ? seconds
    : report(scope, 'invalid-value', tree.at, `${scope.keyword} must be at most one week`),
);

/** A duration, or null for `never`. */
export const durationOrNever: Reader<number | null> = (tree, scope) =>
  isText(tree) && tree.value === 'never' ? null : duration(tree, scope);

const pullPolicies = oneOrList(oneOf('always', 'if-not-present', 'never'), { min: 1 });

export const pullPolicy: typeof pullPolicies = mapped(pullPolicies, (policies, tree, scope) => {
  if (new Set(policies).size === policies.length) return policies;
  return report(scope, 'invalid-value', tree.at, `${scope.keyword} names a policy twice`);
});

export const dockerOptions = record({
  platform: filledText,
  user: filledText,
});

export const kubernetesOptions = record({
  user: (tree, scope) =>
    tree.kind === 'leaf' && typeof tree.value === 'number' ? tree.text : filledText(tree, scope),
});

export const variableValue: Reader<string> = (tree, scope) =>
  tree.kind === 'leaf' && tree.value !== null
    ? tree.text
    : refuse(scope, tree, 'a text, a number, true or false');

export interface VariableDefinition {
  readonly value: string;
  readonly raw: boolean;
}

const detailedVariable = (global: boolean) => {
  const fields = { value: variableValue, expand: flag };
  const globalFields = { ...fields, description: filledText, options: oneOrList(variableValue) };
  return record(global ? globalFields : (fields as typeof globalFields));
};

function variable(global: boolean): Reader<VariableDefinition> {
  const detailed = detailedVariable(global);
  return (tree, scope) => {
    if (tree.kind !== 'map') {
      // An empty value is the empty text.
      const value = tree.kind === 'leaf' ? tree.text : variableValue(tree, scope);
      return value === undefined ? undefined : { value, raw: false };
    }
    const read = detailed(tree, scope);
    if (read?.options && !read.options.includes(read.value ?? '')) {
      report(
        scope,
        'invalid-value',
        tree.at,
        `${scope.keyword}:options must contain the value ${JSON.stringify(read.value ?? '')}`,
      );
    }
    return read && { value: read.value ?? '', raw: read.expand === false };
  };
}

export type VariableDefinitions = ReadonlyMap<string, VariableDefinition>;

function variableMap(global: boolean): Reader<VariableDefinitions> {
  const one = variable(global);
  return (tree, scope) => {
    if (tree.kind !== 'map') return refuse(scope, tree, 'a map of names and values');
    const result = new Map<string, VariableDefinition>();
    for (const entry of tree.entries.values()) {
      const read = one(entry.value, { ...scope, keyword: `${scope.keyword}:${entry.key}` });
      if (read) result.set(entry.key, read);
    }
    return result;
  };
}

export const globalVariables = variableMap(true);
export const jobVariableDefinitions = variableMap(false);
