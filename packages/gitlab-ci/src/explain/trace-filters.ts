import { evaluate, isTruthy } from '../expression/evaluate.ts';
import type { JobDefinition } from '../configuration.ts';
import type { RuleContext } from '../conditions.ts';
import { IMPLICIT_ONLY, refMatches } from '../filters.ts';
import type { PipelineOrigin } from '../filters.ts';
import { fileMatcher } from '../globs.ts';
import type { Filter } from '../keywords/rules.ts';
import { positionOf } from '../tree.ts';
import type { MapTree } from '../tree.ts';
import type { FilterTrace } from './explanation.ts';
import { traceExpression } from './trace-expression.ts';
import type { Witness } from './trace-expression.ts';

export interface FilterSetting {
  readonly context: RuleContext;
  readonly origin: PipelineOrigin;
  readonly witness: Witness;
  /** `workflow:rules` take the place of what GitLab assumes for jobs without rules, only and except. */
  readonly hasWorkflow: boolean;
}

/** `only` and `except` of a job without rules, or what GitLab assumes in their place. */
export function traceFilters(
  { keywords }: JobDefinition,
  job: MapTree,
  setting: FilterSetting,
): readonly FilterTrace[] {
  const { only, except } = keywords;
  const at = (key: string) => {
    const entry = job.entries.get(key);
    return entry && positionOf(entry.at);
  };
  const traces: FilterTrace[] = [];
  if (only) traces.push(traceFilter('only', only, at('only'), setting));
  else if (except || !setting.hasWorkflow)
    traces.push(traceFilter('only', IMPLICIT_ONLY, undefined, setting));
  if (except) traces.push(traceFilter('except', except, at('except'), setting));
  return traces;
}

type Condition = FilterTrace['conditions'][number];
type FilterEntry = Condition['entries'][number];

function traceFilter(
  keyword: FilterTrace['keyword'],
  filter: Filter,
  position: FilterTrace['position'],
  setting: FilterSetting,
): FilterTrace {
  const { context, origin, witness } = setting;
  const conditions: Condition[] = [];
  const add = (name: Condition['keyword'], entries: readonly FilterEntry[]) =>
    conditions.push({ keyword: name, holds: entries.some(({ holds }) => holds), entries });
  if (filter.refs)
    add(
      'refs',
      filter.refs.map((ref) => plainEntry(ref, refMatches(ref, origin))),
    );
  if (filter.variables) {
    add(
      'variables',
      filter.variables.map((one) => {
        const expression = traceExpression(one, true, { context, witness });
        return { text: expression.text, holds: isTruthy(evaluate(one, context)), expression };
      }),
    );
  }
  if (filter.changes) {
    const paths = context.changedPaths;
    add(
      'changes',
      filter.changes.map((pattern) => plainEntry(pattern, paths?.some(fileMatcher(pattern)) ?? true)),
    );
  }
  return { keyword, position, conditions };
}

const plainEntry = (text: string, holds: boolean): FilterEntry => ({ text, holds, expression: undefined });
