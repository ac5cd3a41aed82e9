import type { Expression } from '../expression/parse.ts';

type Operation = Extract<Expression, { readonly kind: 'operation' }>;

const rank = ({ operator }: Operation): number => ({ '||': 1, '&&': 2 })[operator as string] ?? 3;

/** The expression as text, with no more parentheses than it needs. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'variable':
      return `$${expression.name}`;
    case 'input':
      return `$[[ inputs.${expression.name} ]]`;
    case 'string':
      // No escapes exist: the quote that is not in it is the one it was written with.
      return expression.value.includes('"') ? `'${expression.value}'` : `"${expression.value}"`;
    case 'pattern':
      return expression.text;
    case 'boolean':
      return String(expression.value);
    case 'null':
      return 'null';
    case 'operation':
      return printOperation(expression);
  }
}

function printOperation(operation: Operation): string {
  const own = rank(operation);
  const side = (part: Expression, least: number): string => {
    const text = printExpression(part);
    return part.kind === 'operation' && rank(part) < least ? `(${text})` : text;
  };
  // Operators group from the left: the same rank needs parentheses on the right only.
  return `${side(operation.left, own)} ${operation.operator} ${side(operation.right, own + 1)}`;
}
