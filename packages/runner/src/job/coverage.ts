import { stripVTControlCharacters } from 'node:util';
import { RE2JS } from 're2js';

/**
 * `coverage: /…/` over a job's log, as GitLab reads it: the last line that matches, in it the first group (or the whole
 * match), and of that the number. Colours are no part of a line. undefined when nothing matches, or when RE2 does not
 * know the expression.
 */
export function jobCoverage(expression: string | undefined, log: string): number | undefined {
  if (expression === undefined) return undefined;
  const pattern = compiled(expression);
  if (!pattern) return undefined;
  for (const line of stripVTControlCharacters(log).split('\n').toReversed()) {
    const found = lastMatch(pattern, line);
    const number = found === undefined ? undefined : /\d+(?:\.\d+)?/.exec(found)?.[0];
    if (number !== undefined) return Number(number);
  }
  return undefined;
}

function compiled(expression: string): RE2JS | undefined {
  try {
    return RE2JS.compile(expression);
  } catch {
    return undefined; // GitLab shows no coverage then, either.
  }
}

/** Several matches in one line: the last counts. */
function lastMatch(pattern: RE2JS, line: string): string | undefined {
  const matcher = pattern.matcher(line);
  let found: string | undefined;
  while (matcher.find()) {
    found = (matcher.groupCount() > 0 ? matcher.group(1) : undefined) ?? matcher.group() ?? '';
  }
  return found;
}
