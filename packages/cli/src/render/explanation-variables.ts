import type { VariableTrace } from '@updraft/gitlab-ci';
import { visibleText } from './excerpt.ts';
import type { ExplanationView } from './explanation.ts';
import { INDENT, originText, quoted } from './explanation-words.ts';
import { table } from './table.ts';

/** Each variable with the value that won and where it was written, and below it the ones that lost. */
export function variableLines(
  variables: readonly VariableTrace[],
  { output, showAll }: ExplanationView,
): readonly string[] {
  const shown = variables.filter((one) => showAll || one.source !== 'predefined' || one.over.length > 0);
  const hidden = variables.length - shown.length;
  const rows = shown.flatMap((variable) => {
    const origin = originText(variable);
    const lost = variable.over.map((one) => [
      '',
      output.style('dim', `${INDENT}over ${quoted(one.value)}`),
      output.style('dim', `${originText(one)}${one.via === undefined ? '' : ` (${visibleText(one.via)})`}`),
    ]);
    return [
      [`${INDENT}${visibleText(variable.key)}`, valueText(variable), output.style('dim', origin)],
      ...lost,
    ];
  });
  const rest =
    hidden === 0 ? [] : [output.style('dim', `${INDENT}and ${hidden} predefined ones (--all shows them)`)];
  return [...(rows.length === 0 ? [] : table(rows).split('\n')), ...rest];
}

function valueText({ value, expanded, masked }: VariableTrace): string {
  if (masked) return 'masked';
  return value === expanded ? quoted(value) : `${quoted(value)} → ${quoted(expanded)}`;
}
