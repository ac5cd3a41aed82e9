export type TokenKind =
  | 'open'
  | 'close'
  | 'variable'
  | 'input'
  | 'string'
  | 'pattern'
  | 'null'
  | 'boolean'
  | 'operator';

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  readonly offset: number;
}

/** Tried in this order at every place. A pattern has at least two characters between its slashes, as in GitLab. */
const TOKENS: readonly (readonly [TokenKind, RegExp])[] = [
  ['open', /\(/y],
  ['close', /\)/y],
  ['variable', /\$\w+/y],
  ['input', /\$\[\[\s*inputs\.[\w-]+\s*\]\]/y],
  ['string', /"[^"\n]*"|'[^'\n]*'/y],
  ['pattern', /\/(?:\\\/(?:\\\/|[^/])*|[^/](?:\\\/|[^/])+)\/[ismU]*/y],
  ['null', /null/y],
  ['boolean', /(?:true|false)\b/y],
  ['operator', /==|=~|!=|!~|&&|\|\|/y],
];

const SPACE = /\s*/y;

/** All tokens, or where the text stops being one. */
export function tokenize(text: string): readonly Token[] | { readonly unreadableAt: number } {
  const tokens: Token[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (!token) return { unreadableAt: at };
    tokens.push(token);
    at = skipSpace(text, at + token.text.length);
  }
  return tokens;
}

function skipSpace(text: string, from: number): number {
  SPACE.lastIndex = from;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

function tokenAt(text: string, offset: number): Token | undefined {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = offset;
    const found = pattern.exec(text);
    if (found) return { kind, text: found[0], offset };
  }
  return undefined;
}
