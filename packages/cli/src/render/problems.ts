import type { ProblemView } from '@updraft/control';
import type { Output } from '../output.ts';

/** `file:line:column: error: message`, the source line with a caret when it is known, and the suggestion. */
export function problemLines(
  problems: readonly ProblemView[],
  output: Output,
  sourceOf: (file: string) => string | undefined = () => undefined,
): readonly string[] {
  return problems.flatMap((problem) => {
    const where = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
    const word = output.style(problem.severity === 'error' ? 'red' : 'yellow', `${problem.severity}:`);
    const hint = problem.suggestion === undefined ? '' : ` (did you mean ${problem.suggestion}?)`;
    const head = `${where === '' ? '' : `${output.style('bold', `${where}:`)} `}${word} ${problem.message}${hint}`;
    return [head, ...sourceLines(problem, sourceOf)];
  });
}

function sourceLines(
  problem: ProblemView,
  sourceOf: (file: string) => string | undefined,
): readonly string[] {
  if (problem.file === undefined || problem.line === undefined) return [];
  const line = sourceOf(problem.file)?.split('\n')[problem.line - 1];
  if (line === undefined) return [];
  const number = String(problem.line).padStart(5);
  const caret = ' '.repeat(Math.max(0, (problem.column ?? 1) - 1));
  return [`${number} | ${line}`, `${' '.repeat(5)} | ${caret}^`];
}
