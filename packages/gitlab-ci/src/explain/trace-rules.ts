import { lookAtChanges, lookForFiles } from '../conditions.ts';
import type { PathsLook, RuleContext } from '../conditions.ts';
import type { PathCondition, Rule } from '../keywords/rules.ts';
import { positionOf } from '../tree.ts';
import type { PathsTrace, RuleSettings, RuleTrace, RulesTrace } from './explanation.ts';
import { traceExpression } from './trace-expression.ts';
import type { Witness } from './trace-expression.ts';

/** Asks the rules in order, as `firstHolding` does, and writes down what each looked at. */
export function traceRules(rules: readonly Rule[], context: RuleContext, witness: Witness): RulesTrace {
  const traces: RuleTrace[] = [];
  let deciding: Rule | undefined;
  for (const [index, rule] of rules.entries()) {
    const asked = deciding === undefined;
    const traced = traceRule(rule, asked, { context, witness });
    traces.push({ number: index + 1, ...traced });
    if (traced.holds) deciding = rule;
  }
  const outcome = deciding === undefined ? 'none' : deciding.when === 'never' ? 'never' : 'holds';
  return { outcome, rules: traces };
}

interface Setting {
  readonly context: RuleContext;
  readonly witness: Witness;
}

function traceRule(rule: Rule, isAsked: boolean, { context, witness }: Setting): Omit<RuleTrace, 'number'> {
  const condition = rule.condition && traceExpression(rule.condition, isAsked, { context, witness });
  let holds = isAsked && (condition?.holds ?? true);
  const look = (keyword: PathsTrace['keyword'], how: typeof lookAtChanges): PathsTrace | undefined => {
    const asked = rule[keyword];
    const found = asked && holds ? how(asked, rule.at, context) : undefined;
    holds &&= !asked || (found?.holds ?? false);
    return asked && tracePaths(asked, found, keyword);
  };
  const changes = look('changes', lookAtChanges);
  const exists = look('exists', lookForFiles);
  return {
    position: positionOf(rule.at),
    holds: isAsked ? holds : undefined,
    condition,
    changes,
    exists,
    sets: settingsOf(rule, witness),
  };
}

/** Enough to see what was compared; a commit may change thousands. */
const MAX_PATHS = 100;

function tracePaths(
  condition: PathCondition,
  found: PathsLook | undefined,
  keyword: PathsTrace['keyword'],
): PathsTrace {
  return {
    keyword,
    patterns: condition.paths,
    regexps: condition.regexps,
    compareTo: condition.compareTo,
    holds: found?.holds,
    match: found?.match,
    looked: found?.paths?.length,
    paths: keyword === 'changes' ? (found?.paths ?? []).slice(0, MAX_PATHS) : [],
    because: found && !found.paths ? withoutLooking(condition, keyword) : undefined,
  };
}

function withoutLooking(condition: PathCondition, keyword: PathsTrace['keyword']): string {
  if (keyword === 'exists') return `the files of ${condition.project ?? 'the commit'} are not known here`;
  if (condition.compareTo !== undefined)
    return `nothing is known of the changes since ${condition.compareTo}`;
  return 'this pipeline has nothing to compare with (a tag, a new branch, a schedule, a manual run)';
}

export function settingsOf(rule: Rule, { redact }: Pick<Witness, 'redact'>): RuleSettings {
  const { when, startInSeconds, allowFailure, interruptible, needs } = rule;
  return {
    ...(when === undefined ? {} : { when }),
    ...(startInSeconds === undefined ? {} : { startInSeconds }),
    ...(allowFailure === undefined ? {} : { allowFailure }),
    ...(interruptible === undefined ? {} : { interruptible }),
    ...(needs === undefined ? {} : { needs: needs.map(({ job }) => job) }),
    ...(rule.variables.size === 0
      ? {}
      : { variables: [...rule.variables].map(([key, { value }]) => ({ key, value: redact(value) })) }),
  };
}
