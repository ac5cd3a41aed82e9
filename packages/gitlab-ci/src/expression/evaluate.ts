import { parseExpression } from './parse.ts';
import type { Expression, Operator } from './parse.ts';
import { compileRegex, patternBody } from './regex.ts';

export type Value = string | boolean | null;

/** A value while it is computed: a regular expression is one too. */
type Operand = Value | { readonly body: string };

export interface ExpressionContext {
  variable(name: string): string | undefined;
  /** Only where `$[[ inputs.x ]]` may stand. */
  input?(name: string): Value | undefined;
}

/** What the expression gives; undefined variables are null. Never throws: a broken pattern matches nothing. */
export function evaluate(expression: Expression, context: ExpressionContext): Value {
  const result = operand(expression, context);
  return isPattern(result) ? result.body : result;
}

/** Whether a rule with this result holds. */
export const isTruthy = (value: Value): boolean => value !== null && value !== false && value !== '';

/** Reads and evaluates in one go; false for what is no expression, as inside a created pipeline. */
export function holds(text: string, context: ExpressionContext): boolean {
  const parsed = parseExpression(text);
  return parsed.ok && isTruthy(evaluate(parsed.expression, context));
}

function operand(expression: Expression, context: ExpressionContext): Operand {
  switch (expression.kind) {
    case 'variable':
      return context.variable(expression.name) ?? null;
    case 'input':
      return context.input?.(expression.name) ?? null;
    case 'string':
    case 'boolean':
      return expression.value;
    case 'pattern':
      return { body: expression.body };
    case 'null':
      return null;
    case 'operation':
      return operation(expression.operator, expression, context);
  }
}

interface Sides {
  readonly left: Expression;
  readonly right: Expression;
}

function operation(operator: Operator, sides: Sides, context: ExpressionContext): Operand {
  const left = operand(sides.left, context);
  // Truth inside an expression is Ruby's: the empty text is true.
  const leftHolds = left !== null && left !== false;
  if (operator === '&&') return leftHolds ? operand(sides.right, context) : left;
  if (operator === '||') return leftHolds ? left : operand(sides.right, context);
  const right = operand(sides.right, context);
  switch (operator) {
    case '==':
      return same(left, right);
    case '!=':
      return !same(left, right);
    case '=~':
      return matches(left, right);
    case '!~':
      return !matches(left, right);
  }
}

function same(left: Operand, right: Operand): boolean {
  if (isPattern(left) && isPattern(right)) return left.body === right.body;
  return left === right;
}

/** `=~`: against a plain text it asks whether that text contains the left one. */
export function matches(left: Operand, right: Operand): boolean {
  if (right === null || typeof right === 'boolean') return false;
  const text = isPattern(left) ? left.body : String(left ?? '');
  if (!isPattern(right)) {
    const body = patternBody(right);
    return body === undefined ? right.includes(text) : occurs(body, text);
  }
  return occurs(right.body, text);
}

function occurs(body: string, text: string): boolean {
  const regex = compileRegex(body);
  return typeof regex === 'string' ? false : regex.occursIn(text);
}

function isPattern(value: Operand): value is { readonly body: string } {
  return typeof value === 'object' && value !== null;
}
