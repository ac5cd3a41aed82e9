import { RE2JS } from 're2js';

/**
 * `coverage: /…/` over a job's log, as GitLab reads it: the last line that matches, in it the first group (or the whole
 * match), and of that the number. undefined when nothing matches.
 */
export function jobCoverage(expression: string | undefined, log: string): number | undefined {
  if (expression === undefined) return undefined;
  const pattern = RE2JS.compile(expression);
  for (const line of log.split('\n').toReversed()) {
    const matcher = pattern.matcher(line);
    if (!matcher.find()) continue;
    const text = (matcher.groupCount() > 0 ? matcher.group(1) : undefined) ?? matcher.group() ?? '';
    const number = /\d+(?:\.\d+)?/.exec(text)?.[0];
    if (number !== undefined) return Number(number);
  }
  return undefined;
}
