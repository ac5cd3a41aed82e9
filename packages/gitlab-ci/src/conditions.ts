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
  if (rule.changes && !changesHold(rule, rule.changes, context)) return false;
  return !rule.exists || existsHold(rule.exists, context);
}

function changesHold(rule: Rule, changes: PathCondition, context: RuleContext): boolean {
  if (changes.compareTo !== undefined) {
    context.cannotCompare?.(rule);
    return true;
  }
  return context.changedPaths === undefined || anyMatches(changes, context.changedPaths, context);
}

function existsHold(exists: PathCondition, context: RuleContext): boolean {
  return !exists.foreign && anyMatches(exists, context.files.list(), context);
}

function anyMatches(condition: PathCondition, paths: readonly string[], context: RuleContext): boolean {
  for (const pattern of condition.paths) {
    const matches = fileMatcher(expandVariables(pattern, context.expanded));
    if (paths.some(matches)) return true;
  }
  return condition.regexps.some((body) => {
    const regex = compileRegex(body);
    return typeof regex !== 'string' && paths.some((path) => regex.occursIn(path));
  });
}
