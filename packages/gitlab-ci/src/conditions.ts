import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex } from './expression/regex.ts';
import { fileMatcher } from './globs.ts';
import type { PathCondition, Rule } from './keywords/rules.ts';
import type { CommitFiles } from './pipeline.ts';
import type { Mark } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

/** What rules look at. */
export interface RuleContext {
  /** As stored: values are not expanded for `if`. */
  variable(name: string): string | undefined;
  /** For paths. */
  expanded(name: string): string | undefined;
  readonly files: CommitFiles;
  readonly changedPaths: readonly string[] | undefined;
  readonly elsewhere: Elsewhere;
}

/** What rules may ask about other commits and projects; undefined: it cannot be told (yet). */
export interface Elsewhere {
  changedSince(compareTo: string, at: Mark): readonly string[] | undefined;
  treeOf(project: string, ref: string | undefined, at: Mark): readonly string[] | undefined;
}

/** The first rule that holds, or undefined when none does. */
export function firstHolding(rules: readonly Rule[], context: RuleContext): Rule | undefined {
  return rules.find((rule) => ruleHolds(rule, context));
}

/** All conditions of a rule must hold; one without conditions does. */
export function ruleHolds(rule: Rule, context: RuleContext): boolean {
  if (rule.condition && !isTruthy(evaluate(rule.condition, context))) return false;
  if (rule.changes && !lookAtChanges(rule.changes, rule.at, context).holds) return false;
  return !rule.exists || lookForFiles(rule.exists, rule.at, context).holds;
}

/** What a condition on paths looked at and what it found. */
export interface PathsLook {
  readonly holds: boolean;
  /** undefined: there was nothing to look at. */
  readonly paths: readonly string[] | undefined;
  /** The first match: the pattern as written, or the regular expression. */
  readonly match: { readonly pattern: string; readonly path: string } | undefined;
}

/** True without looking when there is nothing to compare with, as in GitLab. */
export function lookAtChanges(changes: PathCondition, at: Mark, context: RuleContext): PathsLook {
  const { compareTo } = changes;
  const paths =
    compareTo === undefined
      ? context.changedPaths
      : context.elsewhere.changedSince(expandVariables(compareTo, context.expanded), at);
  const match = firstMatch(changes, paths ?? [], context);
  return { holds: paths === undefined || match !== undefined, paths, match };
}

export function lookForFiles(exists: PathCondition, at: Mark, context: RuleContext): PathsLook {
  const { project, ref } = exists;
  const expand = (text: string): string => expandVariables(text, context.expanded);
  const paths =
    project === undefined
      ? context.files.list()
      : context.elsewhere.treeOf(expand(project), ref === undefined ? undefined : expand(ref), at);
  const match = firstMatch(exists, paths ?? [], context);
  return { holds: match !== undefined, paths, match };
}

function firstMatch(
  condition: PathCondition,
  paths: readonly string[],
  context: RuleContext,
): PathsLook['match'] {
  for (const pattern of condition.paths) {
    const path = paths.find(fileMatcher(expandVariables(pattern, context.expanded)));
    if (path !== undefined) return { pattern, path };
  }
  for (const pattern of condition.regexps) {
    const regex = compileRegex(pattern);
    const path = typeof regex === 'string' ? undefined : paths.find((one) => regex.occursIn(one));
    if (path !== undefined) return { pattern, path };
  }
  return undefined;
}
