import type {
  ExpressionTrace,
  FilterTrace,
  OperandTrace,
  PathsTrace,
  RuleSettings,
  RuleTrace,
  RulesTrace,
} from '@updraft/gitlab-ci';
import type { Output } from '../output.ts';
import { visibleText } from './excerpt.ts';
import { INDENT, mark, originText, placeText, quoted } from './explanation-words.ts';

/** Every rule in order: its sign, its place, its conditions with what they looked at, what it sets. */
export function ruleLines({ rules, outcome }: RulesTrace, output: Output): readonly string[] {
  const lines = rules.flatMap((rule) => oneRule(rule, output));
  if (outcome !== 'none') return lines;
  return [...lines, `${INDENT}${output.style('dim', 'no rule holds')}`];
}

function oneRule(rule: RuleTrace, output: Output): readonly string[] {
  const { number, holds, condition, changes, exists, position, sets } = rule;
  const words = [condition && `if ${condition.text}`, changes && 'changes', exists && 'exists'].filter(
    Boolean,
  );
  const title = visibleText(words.length === 0 ? 'without a condition' : words.join(' and '));
  const place = output.style('dim', placeText(position));
  if (holds === undefined) {
    return [
      `${INDENT}${mark(holds, output)} ${number}. ${output.style('dim', `${title}, not asked`)}  ${place}`,
    ];
  }
  const inner = `${INDENT}${INDENT}${INDENT}`;
  return [
    `${INDENT}${mark(holds, output)} ${number}. ${title}  ${place}`,
    ...(condition ? expressionLines(condition, inner, output) : []),
    ...[changes, exists].flatMap((paths) => (paths ? pathLines(paths, inner, output) : [])),
    ...(holds ? settingLines(sets, inner, output) : []),
  ];
}

/** The parts of an expression; of one that has none, its variables. */
function expressionLines(trace: ExpressionTrace, indent: string, output: Output): readonly string[] {
  if (trace.parts.length === 0) return operandLines(trace.operands, indent, output);
  return trace.parts.flatMap((part) => {
    const skipped = part.holds === undefined ? output.style('dim', '  not looked at') : '';
    const head = `${indent}${mark(part.holds, output)} ${visibleText(part.text)}${skipped}`;
    return part.holds === undefined
      ? [head]
      : [head, ...expressionLines(part, `${indent}${INDENT}${INDENT}`, output)];
  });
}

const operandLines = (operands: readonly OperandTrace[], indent: string, output: Output): readonly string[] =>
  operands.map(({ name, value, from }) => {
    if (value === null) return `${indent}$${name} is not set`;
    const origin = from ? `  ${output.style('dim', originText(from))}` : '';
    return `${indent}$${name} is ${quoted(value)}${origin}`;
  });

const MAX_SHOWN = 5;

function pathLines(paths: PathsTrace, indent: string, output: Output): readonly string[] {
  const all = [...paths.patterns, ...paths.regexps.map((body) => `/${body}/`)].map(visibleText);
  const since = paths.compareTo === undefined ? '' : ` since ${visibleText(paths.compareTo)}`;
  const head = `${indent}${mark(paths.holds, output)} ${paths.keyword} ${shortList(all)}${since}`;
  if (paths.holds === undefined) return [`${head}${output.style('dim', '  not looked at')}`];
  return [head, `${indent}${INDENT}${INDENT}${pathResult(paths)}`];
}

function pathResult({ keyword, match, looked, paths, because, holds }: PathsTrace): string {
  if (looked === undefined)
    return `${holds ? 'counts as true' : 'counts as false'}: ${visibleText(because ?? '')}`;
  const what = keyword === 'changes' ? 'changed file' : 'file';
  const among = `${looked} ${what}${looked === 1 ? '' : 's'}`;
  if (match) return `${visibleText(match.path)} fits ${visibleText(match.pattern)} (of ${among})`;
  const names = paths.length > 0 ? `: ${shortList(paths.map(visibleText), looked)}` : '';
  if (looked === 0) return keyword === 'changes' ? 'no file has changed' : 'there are no files';
  return `none of ${among} fits${names}`;
}

function shortList(names: readonly string[], total = names.length): string {
  const shown = names.slice(0, MAX_SHOWN);
  const rest = total - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function settingLines(sets: RuleSettings, indent: string, output: Output): readonly string[] {
  const { when, startInSeconds, allowFailure, interruptible, needs, variables } = sets;
  const parts = [
    when && `when: ${when}`,
    startInSeconds !== undefined && `start_in: ${startInSeconds} s`,
    allowFailure !== undefined &&
      `allow_failure: ${typeof allowFailure === 'boolean' ? allowFailure : allowFailure.exitCodes.join(', ')}`,
    interruptible !== undefined && `interruptible: ${interruptible}`,
    needs && `needs: ${needs.length === 0 ? 'nothing' : needs.map(visibleText).join(', ')}`,
    ...(variables ?? []).map(({ key, value }) => `${visibleText(key)}=${quoted(value)}`),
  ].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? [] : [`${indent}${output.style('cyan', 'sets')} ${parts.join(', ')}`];
}

/** The conditions of `only` and `except`, entry by entry. */
export function filterLines(filters: readonly FilterTrace[], output: Output): readonly string[] {
  return filters.flatMap(({ keyword, position, conditions }) => {
    const place = position ? placeText(position) : 'not written: GitLab assumes it';
    const holds =
      keyword === 'only' ? conditions.every((one) => one.holds) : conditions.some((one) => one.holds);
    return [
      `${INDENT}${mark(holds, output)} ${keyword}  ${output.style('dim', place)}`,
      ...conditions.flatMap((condition) => conditionLines(condition, output)),
    ];
  });
}

function conditionLines(
  { keyword, entries }: FilterTrace['conditions'][number],
  output: Output,
): readonly string[] {
  const indent = `${INDENT}${INDENT}${INDENT}`;
  return entries.flatMap(({ text, holds, expression }) => [
    `${indent}${mark(holds, output)} ${keyword}: ${visibleText(text)}`,
    ...(expression ? expressionLines(expression, `${indent}${INDENT}${INDENT}`, output) : []),
  ]);
}
