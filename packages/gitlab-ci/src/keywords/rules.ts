import { parseExpression } from '../expression/parse.ts';
import { partsOf } from '../expression/parse.ts';
import { compileRegex } from '../expression/regex.ts';
import type { Expression } from '../expression/parse.ts';
import type { AllowFailure } from '../pipeline.ts';
import { isNull, isText } from '../tree.ts';
import type { Mark, Tree } from '../tree.ts';
import { allowFailure } from './behaviour.ts';
import { delay, jobVariableDefinitions } from './common.ts';
import type { VariableDefinitions } from './common.ts';
import { ruleNeeds } from './needs.ts';
import type { NeedDefinition } from './needs.ts';
import {
  filledText,
  flag,
  flatten,
  listOf,
  mapped,
  notNull,
  oneOf,
  record,
  refuse,
  report,
} from './readers.ts';
import type { Read, Reader, Scope } from './readers.ts';

export interface PathCondition {
  readonly paths: readonly string[];
  /** RE2 texts. */
  readonly regexps: readonly string[];
  /** `changes`: since the merge base with this ref instead of the parent commit. */
  readonly compareTo: string | undefined;
  /** `exists`: in the tree of this project instead of the commit. */
  readonly project: string | undefined;
  readonly ref: string | undefined;
}

export interface Rule {
  readonly condition: Expression | undefined;
  readonly changes: PathCondition | undefined;
  readonly exists: PathCondition | undefined;
  readonly when: 'on_success' | 'on_failure' | 'always' | 'manual' | 'delayed' | 'never' | undefined;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure | undefined;
  readonly variables: VariableDefinitions;
  readonly needs: readonly NeedDefinition[] | undefined;
  readonly interruptible: boolean | undefined;
  /** Of a rule of `workflow`. */
  readonly autoCancel: AutoCancel | undefined;
  readonly at: Mark;
}

/** An `if`; the place of a mistake is counted into the text where the file holds it unchanged. */
export const expression: Reader<Expression> = (tree, scope) => {
  if (!isText(tree)) return refuse(scope, tree, 'an expression');
  const parsed = parseExpression(tree.value);
  if (!parsed.ok) {
    const { message, offset } = parsed.problem;
    const at = markInside(tree, offset);
    return report(scope, 'invalid-expression', at, `${scope.keyword} is not an expression: ${message}`);
  }
  checkPatterns(parsed.expression, tree, scope);
  return parsed.expression;
};

function markInside(tree: Tree & { readonly value: string }, offset: number): Mark {
  const { source, offset: start } = tree.at;
  for (const skip of [0, 1]) {
    if (source.text.startsWith(tree.value, start + skip)) return { source, offset: start + skip + offset };
  }
  return tree.at;
}

function checkPatterns(parsed: Expression, tree: Tree, scope: Scope): void {
  for (const part of partsOf(parsed)) {
    if (part.kind !== 'pattern') continue;
    const regex = compileRegex(part.body);
    if (typeof regex === 'string') {
      report(
        scope,
        'invalid-regex',
        tree.at,
        `${scope.keyword} has the invalid pattern ${part.text}: ${regex}`,
      );
    }
  }
}

const MAX_PATTERNS = 50;
const patterns = listOf(filledText, { max: MAX_PATTERNS });

const regexps: Reader<readonly string[]> = (tree, scope) => {
  const all = isText(tree) ? [tree.value] : listOf(filledText)(tree, scope);
  for (const one of all ?? []) {
    const regex = compileRegex(one);
    if (typeof regex === 'string') report(scope, 'invalid-regex', tree.at, `${scope.keyword}: ${regex}`);
  }
  return all;
};

const changesFields = record({ paths: patterns, regexp: regexps, compare_to: filledText });
const existsFields = record({ paths: patterns, regexp: regexps, project: filledText, ref: filledText });

const condition = (paths: readonly string[]): PathCondition => ({
  paths,
  regexps: [],
  compareTo: undefined,
  project: undefined,
  ref: undefined,
});

const changes: Reader<PathCondition> = (tree, scope) => {
  if (tree.kind === 'list') return mapped(patterns, condition)(tree, scope);
  const read = changesFields(tree, scope);
  if (!read) return undefined;
  requireOne(read, tree, scope);
  return { ...condition(read.paths ?? []), regexps: read.regexp ?? [], compareTo: read.compare_to };
};

const exists: Reader<PathCondition> = (tree, scope) => {
  if (tree.kind === 'list') return mapped(patterns, condition)(tree, scope);
  if (tree.kind !== 'map') return refuse(scope, tree, 'a list of paths');
  const read = existsFields(tree, scope);
  if (!read) return undefined;
  requireOne(read, tree, scope);
  if (read.ref !== undefined && read.project === undefined) {
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:ref needs ${scope.keyword}:project`);
  }
  return {
    ...condition(read.paths ?? []),
    regexps: read.regexp ?? [],
    project: read.project,
    ref: read.ref,
  };
};

function requireOne(read: { paths?: unknown; regexp?: unknown }, tree: Tree, scope: Scope): void {
  if (tree.kind !== 'map') return;
  const given = ['paths', 'regexp'].filter((key) => tree.entries.has(key)).length;
  if (given === 0) report(scope, 'missing-keyword', tree.at, `${scope.keyword}:paths is missing`);
  if (given === 2) {
    report(
      scope,
      'conflicting-keywords',
      tree.at,
      `${scope.keyword}:paths and ${scope.keyword}:regexp exclude each other`,
    );
  }
}

const autoCancelFields = record({
  on_new_commit: oneOf('conservative', 'interruptible', 'none'),
  on_job_failure: oneOf('none', 'all'),
});

/** What `workflow:auto_cancel` says; undefined parts are said elsewhere or nowhere. */
export interface AutoCancel {
  readonly onNewCommit: 'conservative' | 'interruptible' | 'none' | undefined;
  readonly onJobFailure: 'none' | 'all' | undefined;
}

const autoCancel: Reader<AutoCancel> = mapped(autoCancelFields, (read) => ({
  onNewCommit: read.on_new_commit,
  onJobFailure: read.on_job_failure,
}));

const conditions = { if: notNull(expression), changes, exists };

const jobRule = record({
  ...conditions,
  when: oneOf('on_success', 'on_failure', 'always', 'manual', 'delayed', 'never'),
  start_in: delay,
  allow_failure: allowFailure,
  variables: jobVariableDefinitions,
  needs: notNull(ruleNeeds),
  interruptible: flag,
});

const workflowRule = record({
  ...conditions,
  when: oneOf('always', 'never'),
  variables: jobVariableDefinitions,
  auto_cancel: autoCancel,
});

const includeRule = record({ ...conditions, when: oneOf('always', 'never') });

const EMPTY: Omit<Rule, 'at'> = {
  condition: undefined,
  changes: undefined,
  exists: undefined,
  when: undefined,
  startInSeconds: undefined,
  allowFailure: undefined,
  variables: new Map(),
  needs: undefined,
  interruptible: undefined,
  autoCancel: undefined,
};

/** All that a rule of any kind may hold. */
type AnyRule = Reader<Read<typeof jobRule> & Pick<Read<typeof workflowRule>, 'auto_cancel'>>;

function ruleReader(fields: AnyRule): Reader<Rule> {
  return mapped(fields, (read, tree, scope) => {
    if (read.when === 'delayed' && !given(tree, 'start_in')) {
      report(scope, 'missing-keyword', tree.at, `${scope.keyword}: when: delayed needs start_in`);
    }
    // An `if` that could not be read must not turn into a rule that always holds.
    const broken =
      tree.kind === 'map' && ['if', 'changes', 'exists'].some((key) => given(tree, key) && !(key in read));
    return {
      condition: broken ? { kind: 'null' } : read.if,
      changes: read.changes,
      exists: read.exists,
      when: read.when,
      startInSeconds: read.start_in,
      allowFailure: read.allow_failure,
      variables: read.variables ?? new Map(),
      needs: read.needs,
      interruptible: read.interruptible,
      autoCancel: read.auto_cancel,
      at: tree.at,
    };
  });
}

const given = (tree: Tree, key: string): boolean => {
  const entry = tree.kind === 'map' ? tree.entries.get(key) : undefined;
  return entry !== undefined && !isNull(entry.value);
};

function rulesReader(fields: Reader<unknown>): Reader<readonly Rule[]> {
  const one = ruleReader(fields as AnyRule);
  return (tree, scope) => {
    if (tree.kind !== 'list') return refuse(scope, tree, 'a list of rules');
    if (tree.items.length === 0) {
      return report(scope, 'invalid-value', tree.at, `${scope.keyword} is a list without a rule`);
    }
    return flatten(tree, scope).map((rule) => {
      if (rule.kind === 'map') return one(rule, scope) ?? { ...EMPTY, when: 'never', at: rule.at };
      refuse(scope, rule, 'a list of maps with if, changes, exists, when, …');
      return { ...EMPTY, when: 'never', at: rule.at };
    });
  };
}

export const jobRules = rulesReader(jobRule);
export const workflowRules = rulesReader(workflowRule);
export const includeRules = rulesReader(includeRule);

export const workflow = record({
  name: filledText,
  rules: workflowRules,
  auto_cancel: autoCancel,
});

/** `only` and `except`: which refs, variables, changes, and whether there is a cluster. */
export interface Filter {
  readonly refs: readonly string[] | undefined;
  readonly variables: readonly Expression[] | undefined;
  readonly changes: readonly string[] | undefined;
  /** The project has a cluster. */
  readonly kubernetes?: boolean;
}

const filterFields = record({
  refs: listOf(filledText, { min: 1 }),
  variables: listOf(expression, { min: 1 }),
  changes: patterns,
  kubernetes: oneOf('active'),
});

export const except: Reader<Filter> = (tree, scope) => {
  if (isText(tree)) return { refs: [tree.value], variables: undefined, changes: undefined };
  if (tree.kind === 'list') {
    const refs = mapped(listOf(filledText, { min: 1 }), (all) => all)(tree, scope);
    return refs && { refs, variables: undefined, changes: undefined };
  }
  const read = filterFields(tree, scope);
  if (!read) return undefined;
  const { refs, variables, changes: paths, kubernetes } = read;
  return { refs, variables, changes: paths, ...(kubernetes ? { kubernetes: true } : {}) };
};

/** Which pipelines a job is for that names no refs. */
export const IMPLICIT_REFS = ['branches', 'tags'] as const;

export const only: Reader<Filter> = mapped(except, (read) => ({ ...read, refs: read.refs ?? IMPLICIT_REFS }));
