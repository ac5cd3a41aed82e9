import { patternBody } from './regex.ts';
import { tokenize } from './tokens.ts';
import type { Token } from './tokens.ts';

export type Operator = '==' | '!=' | '=~' | '!~' | '&&' | '||';

export type Expression =
  | { readonly kind: 'variable' | 'input'; readonly name: string }
  | { readonly kind: 'string'; readonly value: string }
  /** RE2 text. */
  | { readonly kind: 'pattern'; readonly body: string; readonly text: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | {
      readonly kind: 'operation';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

export interface SyntaxProblem {
  readonly message: string;
  /** In the expression's text, from 0. */
  readonly offset: number;
}

export type ParsedExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly problem: SyntaxProblem };

const MAX_TOKENS = 100;
const RANK: Readonly<Record<string, number>> = { '||': 1, '&&': 2, '==': 3, '!=': 3, '=~': 3, '!~': 3 };

/** Reads a `rules:if` expression. Never throws. */
export function parseExpression(text: string): ParsedExpression {
  const tokens = tokenize(text);
  if ('unreadableAt' in tokens) return refused(unreadable(text, tokens.unreadableAt), tokens.unreadableAt);
  if (tokens.length === 0) return refused('the expression is empty', 0);
  if (tokens.length > MAX_TOKENS)
    return refused(`more than ${MAX_TOKENS} tokens`, tokens[MAX_TOKENS]?.offset ?? 0);
  try {
    return { ok: true, expression: new Parser(tokens, text.length).parse() };
  } catch (error) {
    if (error instanceof Refusal) return refused(error.message, error.offset);
    throw error;
  }
}

const refused = (message: string, offset: number): ParsedExpression => ({
  ok: false,
  problem: { message, offset },
});

class Refusal extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

function unreadable(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 20);
  if (rest.startsWith('${')) return 'variables are written $NAME here, not ${NAME}';
  if (/^=[^=~]/.test(rest)) return 'a comparison is written ==, not =';
  if (rest.startsWith('!')) return '! alone is not an operator here; compare with == null or != instead';
  if (/^["']/.test(rest)) return 'the text is not closed';
  if (rest.startsWith('/'))
    return 'not a regular expression: /body/ with at least two characters and flags out of i, s, m, U';
  return `cannot read ${JSON.stringify(rest)}`;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #at = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  parse(): Expression {
    const expression = this.#operation(1);
    const rest = this.#tokens[this.#at];
    if (rest?.kind === 'close') throw new Refusal('a ) without its (', rest.offset);
    if (rest) throw new Refusal(`an operator is missing before ${rest.text}`, rest.offset);
    return expression;
  }

  /** Operators of at least this rank, grouped from the left. */
  #operation(rank: number): Expression {
    let left = this.#operand();
    for (let token = this.#tokens[this.#at]; token; token = this.#tokens[this.#at]) {
      const own = token.kind === 'operator' ? (RANK[token.text] ?? 0) : 0;
      if (own < rank) break;
      this.#at += 1;
      const right = this.#operation(own + 1);
      left = { kind: 'operation', operator: token.text as Operator, left, right };
    }
    return left;
  }

  #operand(): Expression {
    const token = this.#tokens[this.#at];
    if (!token) throw new Refusal('a value is missing at the end', this.#end);
    this.#at += 1;
    if (token.kind === 'open') return this.#group(token);
    if (token.kind === 'operator') throw new Refusal(`a value is missing before ${token.text}`, token.offset);
    if (token.kind === 'close') throw new Refusal('a value is missing before )', token.offset);
    return operandOf(token);
  }

  #group(open: Token): Expression {
    const inner = this.#operation(1);
    if (this.#tokens[this.#at]?.kind !== 'close') throw new Refusal('this ( is not closed', open.offset);
    this.#at += 1;
    return inner;
  }
}

function operandOf({ kind, text }: Token): Expression {
  switch (kind) {
    case 'variable':
      return { kind: 'variable', name: text.slice(1) };
    case 'input':
      return { kind: 'input', name: text.replace(/^\$\[\[\s*inputs\./, '').replace(/\s*\]\]$/, '') };
    case 'string':
      return { kind: 'string', value: text.slice(1, -1) };
    case 'pattern':
      return { kind: 'pattern', body: patternBody(text) ?? '', text };
    case 'boolean':
      return { kind: 'boolean', value: text === 'true' };
    default:
      return { kind: 'null' };
  }
}

/** Every part of an expression, the whole one first. */
export function* partsOf(expression: Expression): Generator<Expression> {
  yield expression;
  if (expression.kind !== 'operation') return;
  yield* partsOf(expression.left);
  yield* partsOf(expression.right);
}
