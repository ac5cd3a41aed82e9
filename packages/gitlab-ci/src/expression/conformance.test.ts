import { describe, expect, it } from 'vitest';
import { hasReference, readReference, skipReason } from '../testing/reference.ts';
import { evaluate, isTruthy, matches } from './evaluate.ts';
import { parseExpression, partsOf } from './parse.ts';
import type { Expression } from './parse.ts';
import { patternBody } from './regex.ts';
import { tokenize } from './tokens.ts';

interface Facts {
  readonly truth_table: readonly {
    readonly expression: string;
    readonly variables: Readonly<Record<string, string>>;
    readonly inputs: Readonly<Record<string, string>>;
    readonly truthy: boolean;
    readonly value?: string | boolean | null;
    readonly from: string;
  }[];
  readonly invalid: readonly string[];
  readonly match_operator: readonly {
    readonly left: string | null;
    readonly right_regex: string | null;
    readonly matches: boolean;
  }[];
  readonly tokens: readonly { readonly expression: string; readonly tokens: readonly string[] }[];
  readonly trees: readonly { readonly expression: string; readonly tree: string }[];
  readonly pattern_scan: readonly {
    readonly text: string;
    readonly regex: string | null;
    readonly whole_text_is_one_token: boolean;
  }[];
  readonly string_scan: readonly { readonly text: string; readonly value: string }[];
  readonly inputs_used: readonly { readonly expression: string; readonly inputs: readonly string[] }[];
}

const NAMES = {
  '==': 'equals',
  '!=': 'not_equals',
  '=~': 'matches',
  '!~': 'not_matches',
  '&&': 'and',
  '||': 'or',
};

function show(expression: Expression): string {
  switch (expression.kind) {
    case 'variable':
      return `$${expression.name}`;
    case 'string':
      return JSON.stringify(expression.value);
    case 'operation':
      return `${NAMES[expression.operator]}(${show(expression.left)}, ${show(expression.right)})`;
    default:
      return expression.kind;
  }
}

function firstOperand(text: string): Expression | undefined {
  const tokens = tokenize(text);
  const first = Array.isArray(tokens) ? tokens[0] : undefined;
  const parsed = parseExpression(first ? first.text : text);
  return parsed.ok ? parsed.expression : undefined;
}

describe.skipIf(!hasReference)(`GitLab's own facts about expressions${skipReason}`, () => {
  const facts: Facts = hasReference
    ? (JSON.parse(readReference('expressions.json')) as Facts)
    : {
        truth_table: [],
        invalid: [],
        match_operator: [],
        tokens: [],
        trees: [],
        pattern_scan: [],
        string_scan: [],
        inputs_used: [],
      };

  it('has facts', () => expect(facts.truth_table.length).toBeGreaterThan(80));

  it.each(facts.truth_table)(
    '$expression ($from) is $truthy',
    ({ expression, variables, inputs, truthy, value }) => {
      const parsed = parseExpression(expression);
      const context = { variable: (name: string) => variables[name], input: (name: string) => inputs[name] };
      const result = parsed.ok ? evaluate(parsed.expression, context) : null;
      expect(isTruthy(result)).toBe(truthy);
      if (value !== undefined) expect(result).toBe(value);
    },
  );

  it.each(facts.invalid)('refuses %j', (expression) => expect(parseExpression(expression).ok).toBe(false));

  it.each(facts.match_operator)(
    '$left =~ $right_regex is $matches',
    ({ left, right_regex: right, matches: expected }) => {
      const body = right === null ? null : { body: patternBody(right) ?? right };
      expect(matches(left, body)).toBe(expected);
    },
  );

  it.each(facts.tokens)('cuts $expression', ({ expression, tokens }) => {
    const found = tokenize(expression);
    expect(Array.isArray(found) && found.map((token: { text: string }) => token.text)).toEqual(tokens);
  });

  it.each(facts.trees)('groups $expression', ({ expression, tree }) => {
    const parsed = parseExpression(expression);
    expect(parsed.ok && show(parsed.expression)).toBe(tree);
  });

  it.each(facts.pattern_scan)(
    'scans the pattern $text',
    ({ text, regex, whole_text_is_one_token: whole }) => {
      const tokens = tokenize(text);
      expect(Array.isArray(tokens) && tokens.length === 1).toBe(whole);
      if (whole) expect(patternBody(text)).toBe(regex);
    },
  );

  it.each(facts.string_scan)('scans the text $text', ({ text, value }) => {
    expect(firstOperand(text)).toEqual({ kind: 'string', value });
  });

  it.each(facts.inputs_used)('finds the inputs of $expression', ({ expression, inputs }) => {
    const parsed = parseExpression(expression);
    const used = parsed.ok
      ? [...partsOf(parsed.expression)].flatMap((part) => (part.kind === 'input' ? part.name : []))
      : [];
    expect([...new Set(used)]).toEqual(inputs);
  });
});
