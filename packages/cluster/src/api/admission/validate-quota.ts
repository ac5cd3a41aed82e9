import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, recordsAt } from './members.ts';
import type { Problems } from './problems.ts';

const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const SCOPES: readonly string[] = [...OPPOSITES.flat(), 'PriorityClass', 'CrossNamespacePodAffinity'];
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

export function validateQuota(quota: KubeObject, problems: Problems): void {
  const spec = recordAt(quota, 'spec');
  for (const [name, value] of Object.entries(recordAt(spec, 'hard'))) {
    if (String(value).startsWith('-'))
      problems.invalid(`spec.hard[${name}]`, value, 'must be greater than or equal to 0');
  }
  const scopes = Array.isArray(spec['scopes']) ? (spec['scopes'] as unknown[]) : [];
  if (scopes.some((scope) => !SCOPES.includes(String(scope))))
    problems.invalid('spec.scopes', scopes, 'unsupported scope');
  if (OPPOSITES.some((pair) => pair.every((scope) => scopes.includes(scope))))
    problems.invalid('spec.scopes', scopes, 'conflicting scopes');
  const expressions = recordsAt(recordAt(spec, 'scopeSelector'), 'matchExpressions');
  for (const [index, expression] of expressions.entries()) {
    const at = `spec.scopeSelector.matchExpressions[${index}]`;
    const { scopeName, operator, values } = expression;
    if (!SCOPES.includes(String(scopeName)))
      problems.invalid(`${at}.scopeName`, scopeName, 'unsupported scope');
    if (!OPERATORS.includes(String(operator)))
      problems.invalid(`${at}.operator`, operator, 'not a valid selector operator');
    const given = Array.isArray(values) && values.length > 0;
    if (['In', 'NotIn'].includes(String(operator)) && !given)
      problems.required(
        `${at}.values`,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      );
  }
}

export function validateQuotaChange(quota: KubeObject, before: KubeObject, problems: Problems): void {
  const [now, then] = [recordAt(quota, 'spec')['scopes'], recordAt(before, 'spec')['scopes']];
  if (!isDeepStrictEqual(now, then)) problems.invalid('spec.scopes', now, 'field is immutable');
}
