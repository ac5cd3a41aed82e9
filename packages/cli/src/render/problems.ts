import type { ProblemView } from '@updraft/control';
import type { Output } from '../output.ts';
import { excerptOf, visibleText } from './excerpt.ts';

/** A problem of the configuration or of a run; only the former know how their file came in. */
/** `file:line:column: error: message`, the source line with a caret when it is known, and how the file came in. */
export function problemLines(
  problems: readonly ProblemView[],
  output: Output,
  sourceOf: (file: string) => string | undefined = () => undefined,
): readonly string[] {
  const linesOf = lineReader(sourceOf);
  return problems.flatMap((problem) => {
    const where = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
    const word = output.style(problem.severity === 'error' ? 'red' : 'yellow', `${problem.severity}:`);
    const hint = problem.suggestion === undefined ? '' : ` (did you mean ${problem.suggestion}?)`;
    const place = where === '' ? '' : `${output.style('bold', `${visibleText(where)}:`)} `;
    const head = `${place}${word} ${visibleText(problem.message + hint)}`;
    return [head, ...sourceLines(problem, output, linesOf), ...chainLine(problem, output)];
  });
}

/** A file with many problems is taken apart once. */
function lineReader(sourceOf: (file: string) => string | undefined) {
  const known = new Map<string, readonly string[] | undefined>();
  return (file: string): readonly string[] | undefined => {
    if (!known.has(file)) known.set(file, sourceOf(file)?.split('\n'));
    return known.get(file);
  };
}

const GUTTER = 5;

function sourceLines(
  { file, line, column }: ProblemView,
  output: Output,
  linesOf: (file: string) => readonly string[] | undefined,
): readonly string[] {
  if (file === undefined || line === undefined) return [];
  const source = linesOf(file)?.[line - 1];
  if (source === undefined) return [];
  const shown = excerptOf(source, column ?? 1, output.columns - GUTTER - 3);
  const bar = output.style('dim', '|');
  return [
    `${output.style('dim', String(line).padStart(GUTTER))} ${bar} ${shown.line}`,
    `${' '.repeat(GUTTER)} ${bar} ${output.style('red', shown.caret)}`,
  ];
}

function chainLine({ includedFrom = [] }: ProblemView, output: Output): readonly string[] {
  if (includedFrom.length === 0) return [];
  const chain = includedFrom.toReversed().map(visibleText).join(', which is included by ');
  return [`${' '.repeat(GUTTER)} ${output.style('dim', '=')} included by ${chain}`];
}

/** `2 errors, 1 warning`; empty when there are none. */
export function countProblems(problems: readonly ProblemView[]): string {
  return (['error', 'warning'] as const)
    .map((severity) => ({
      severity,
      count: problems.filter((problem) => problem.severity === severity).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}${count === 1 ? '' : 's'}`)
    .join(', ');
}
