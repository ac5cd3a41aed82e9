import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex } from './expression/regex.ts';
import { fileMatcher } from './globs.ts';
import type { PathCondition, Rule } from './keywords/rules.ts';
import type { CommitFiles } from './pipeline.ts';
import { expandVariables } from './variables/expand.ts';

/** What rules look at. */
export interface RuleContext {
  /** As stored: values are not expanded for `if`. */
  variable(name: string): string | undefined;
  /** For paths. */
  expanded(name: string): string | undefined;
  readonly files: CommitFiles;
  readonly changedPaths: readonly string[] | undefined;
  /** Hears of a `changes` that cannot be compared. */
  readonly cannotCompare?: (rule: Rule) => void;
}

/** The first rule that holds, or undefined when none does. */
export function firstHolding(rules: readonly Rule[], context: RuleContext): Rule | undefined {
  return rules.find((rule) => ruleHolds(rule, context));
}

function ruleHolds(rule: Rule, context: RuleContext): boolean {
  if (rule.condition && !isTruthy(evaluate(rule.condition, context))) return false;
  if (rule.changes && !lookAtChanges(rule, rule.changes, context).holds) return false;
  return !rule.exists || lookForFiles(rule.exists, context).holds;
}

/** What a condition on paths looked at and what it found. */
export interface PathsLook {
  readonly holds: boolean;
  /** undefined: there was nothing to look at, and the condition holds or fails without. */
  readonly paths: readonly string[] | undefined;
  /** The first match. */
  readonly match: PathMatch | undefined;
}

export interface PathMatch {
  /** As written, or the regular expression. */
  readonly pattern: string;
  readonly path: string;
}

export function lookAtChanges(rule: Rule, changes: PathCondition, context: RuleContext): PathsLook {
  if (changes.compareTo !== undefined) {
    context.cannotCompare?.(rule);
    return { holds: true, paths: undefined, match: undefined };
  }
  return lookAmong(changes, context.changedPaths, context);
}

export function lookForFiles(exists: PathCondition, context: RuleContext): PathsLook {
  if (exists.foreign) return { holds: false, paths: undefined, match: undefined };
  return lookAmong(exists, context.files.list(), context);
}

/** Without paths to look at the condition holds, as in GitLab. */
function lookAmong(
  condition: PathCondition,
  paths: readonly string[] | undefined,
  context: RuleContext,
): PathsLook {
  const match = paths && firstMatch(condition, paths, context);
  return { holds: paths === undefined || match !== undefined, paths, match };
}

function firstMatch(
  condition: PathCondition,
  paths: readonly string[],
  context: RuleContext,
): PathMatch | undefined {
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
