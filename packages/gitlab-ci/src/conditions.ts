import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex } from './expression/regex.ts';
import { fileMatcher } from './globs.ts';
import type { PathMatcher } from './globs.ts';
import type { PathCondition, Rule } from './keywords/rules.ts';
import type { Mark } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

/** What rules look at. */
export interface RuleContext {
  /** As stored: values are not expanded for `if`. */
  variable(name: string): string | undefined;
  /** For paths. */
  expanded(name: string): string | undefined;
  readonly changedPaths: readonly string[] | undefined;
  readonly elsewhere: Elsewhere;
}

/** What rules may ask about other commits and projects; undefined: it cannot be told (yet). */
export interface Elsewhere {
  /** The commit's paths, listed once. */
  ownTree(): readonly string[];
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
      : context.elsewhere.changedSince(expandKnown(compareTo, context), at);
  const isMuch = (paths?.length ?? 0) * changes.paths.length > MAX_COMPARISONS;
  if (isMuch) return { holds: true, paths, match: undefined };
  const match = firstMatch(changes, paths ?? [], context);
  return { holds: paths === undefined || match !== undefined, paths, match };
}

export function lookForFiles(exists: PathCondition, at: Mark, context: RuleContext): PathsLook {
  const { project, ref } = exists;
  const expand = (text: string): string => expandKnown(text, context);
  const paths =
    project === undefined
      ? context.elsewhere.ownTree()
      : context.elsewhere.treeOf(expand(project), ref === undefined ? undefined : expand(ref), at);
  if (isTooMany(exists, paths ?? [])) return { holds: true, paths, match: undefined };
  const match = firstMatch(exists, paths ?? [], context);
  return { holds: match !== undefined, paths, match };
}

/** What is not known stays as it is written, and so matches nothing. */
const expandKnown = (text: string, { expanded }: RuleContext): string =>
  expandVariables(text, expanded, { keepUndefined: true });

/** GitLab looks at no more pairs of pattern and path, and takes the rule as matching. */
const MAX_COMPARISONS = 50_000;

function isTooMany({ paths: patterns }: PathCondition, paths: readonly string[]): boolean {
  const globs = patterns.filter((pattern) => /[*?[{]/.test(pattern));
  return globs.length * paths.length > MAX_COMPARISONS;
}

function firstMatch(
  condition: PathCondition,
  paths: readonly string[],
  context: RuleContext,
): PathsLook['match'] {
  const asked = new AskedPaths(paths);
  for (const pattern of condition.paths) {
    const path = asked.glob(expandKnown(pattern, context));
    if (path !== undefined) return { pattern, path };
  }
  for (const pattern of condition.regexps) {
    const path = asked.regex(pattern);
    if (path !== undefined) return { pattern, path };
  }
  return undefined;
}

/** Hundreds of jobs ask the same of the same paths. */
const known = new WeakMap<readonly string[], Map<string, string | undefined>>();

class AskedPaths {
  readonly #paths: readonly string[];
  readonly #known: Map<string, string | undefined>;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#known = known.get(paths) ?? new Map();
    known.set(paths, this.#known);
  }

  /** The first path that fits. */
  glob(pattern: string): string | undefined {
    return this.#first(`glob ${pattern}`, () => fileMatcher(pattern));
  }

  regex(body: string): string | undefined {
    const regex = compileRegex(body);
    if (typeof regex === 'string') return undefined;
    return this.#first(`regex ${body}`, () => (path) => regex.occursIn(path));
  }

  #first(question: string, matcher: () => PathMatcher): string | undefined {
    if (this.#known.has(question)) return this.#known.get(question);
    const found = this.#paths.find(matcher());
    this.#known.set(question, found);
    return found;
  }
}
