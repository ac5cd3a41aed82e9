import { recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { isQualifiedName } from './problems.ts';
import type { Problems } from './problems.ts';
import { validateLabels } from './validate-meta.ts';

/** A LabelSelector as it stands in an object. */
export function validateSelector(at: string, selector: Members, problems: Problems): void {
  const equal = recordAt(selector, 'matchLabels') as Record<string, string>;
  validateLabels(`${at}.matchLabels`, equal, problems);
  for (const [index, expression] of recordsAt(selector, 'matchExpressions').entries())
    validateRequirement(`${at}.matchExpressions[${index}]`, expression, problems);
}

function validateRequirement(at: string, expression: Members, problems: Problems): void {
  const operator = textAt(expression, 'operator') ?? '';
  const values = (expression['values'] ?? []) as readonly unknown[];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      problems.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      problems.forbidden(
        `${at}.values`,
        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      );
  } else problems.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  const key = textAt(expression, 'key') ?? '';
  const why = isQualifiedName(key);
  if (why) problems.invalid(`${at}.key`, key, why);
}
