import { evaluate, isTruthy } from '../expression/evaluate.ts';
import type { ExpressionContext, Value } from '../expression/evaluate.ts';
import { partsOf } from '../expression/parse.ts';
import type { Expression } from '../expression/parse.ts';
import type { ExpressionTrace, OperandTrace, VariableOrigin } from './explanation.ts';
import { printExpression } from './print-expression.ts';
import type { Redact } from './redact.ts';

/** What a trace needs to say about variables. */
export interface Witness {
  /** Where the value that the rules see was written. */
  origin(name: string): VariableOrigin | undefined;
  readonly redact: Redact;
}

type Connective = '&&' | '||';

/** What the expression gave, part by part, and what each variable in it was; unless it was not `asked`. */
export function traceExpression(
  expression: Expression,
  asked: boolean,
  setting: ExpressionSetting,
): ExpressionTrace {
  return trace(expression, asked ? isTruthy : undefined, setting);
}

export interface ExpressionSetting {
  readonly context: ExpressionContext;
  readonly witness: Witness;
}

type Truth = (value: Value) => boolean;

/** Inside of an expression the empty text is true. */
const innerTruth: Truth = (value) => value !== null && value !== false;

/** `truth`: how the value is taken at this place; undefined: nobody looks at it. */
function trace(
  expression: Expression,
  truth: Truth | undefined,
  setting: ExpressionSetting,
): ExpressionTrace {
  const common = {
    text: printExpression(expression),
    holds: truth && truth(evaluate(expression, setting.context)),
  };
  const operator = connectiveOf(expression);
  if (!operator) {
    return { ...common, parts: [], operator, operands: operandsOf(expression, setting) };
  }
  const chain = chainOf(expression, operator);
  let isOpen = truth !== undefined;
  const parts = chain.map((part, index) => {
    const isLast = index === chain.length - 1;
    const traced = trace(part, isOpen ? (isLast ? truth : innerTruth) : undefined, setting);
    isOpen &&= innerTruth(evaluate(part, setting.context)) === (operator === '&&');
    return traced;
  });
  return { ...common, parts, operator, operands: [] };
}

function connectiveOf(expression: Expression): Connective | undefined {
  if (expression.kind !== 'operation') return undefined;
  return expression.operator === '&&' || expression.operator === '||' ? expression.operator : undefined;
}

/** `a && b && c` as three. */
function chainOf(expression: Expression, operator: Connective): readonly Expression[] {
  const chain: Expression[] = [];
  let rest = expression;
  while (rest.kind === 'operation' && rest.operator === operator) {
    chain.unshift(rest.right);
    rest = rest.left;
  }
  return [rest, ...chain];
}

function operandsOf(
  expression: Expression,
  { context, witness }: ExpressionSetting,
): readonly OperandTrace[] {
  const names = new Set<string>();
  for (const part of partsOf(expression)) if (part.kind === 'variable') names.add(part.name);
  return [...names].map((name) => {
    const value = context.variable(name);
    return {
      name,
      value: value === undefined ? null : witness.redact(value),
      from: value === undefined ? undefined : witness.origin(name),
    };
  });
}
