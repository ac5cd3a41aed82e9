import { headerInclude } from '../include-entry.ts';
import { compileRegex } from '../expression/regex.ts';
import type { Expression } from '../expression/parse.ts';
import { isNull } from '../tree.ts';
import type { Mark, Tree } from '../tree.ts';
import {
  anything,
  filledText,
  listOf,
  mapOf,
  notNull,
  oneOf,
  oneOrList,
  record,
  refuse,
  report,
  text,
} from './readers.ts';
import type { Reader, Scope } from './readers.ts';
import { expression } from './rules.ts';

export const INPUT_TYPES = ['string', 'number', 'boolean', 'array'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

export interface InputRule {
  readonly condition: Expression | undefined;
  readonly options: readonly Tree[] | undefined;
  readonly default: Tree | undefined;
}

/** One input of a file, as its header declares it. */
export interface InputDefinition {
  readonly type: InputType;
  /** undefined: it must be given. */
  readonly default: Tree | undefined;
  readonly options: readonly Tree[] | undefined;
  /** RE2. */
  readonly regex: string | undefined;
  readonly rules: readonly InputRule[] | undefined;
  readonly at: Mark;
}

const MAX_DESCRIPTION = 1024;

const description: Reader<string> = (tree, scope) => {
  const read = text(tree, scope);
  return read !== undefined && read.length > MAX_DESCRIPTION
    ? refuse(scope, tree, `at most ${MAX_DESCRIPTION} characters long`)
    : read;
};

const regex: Reader<string> = (tree, scope) => {
  const read = filledText(tree, scope);
  if (read === undefined) return undefined;
  const body = read.replace(/^\/([^]*)\/$/, '$1');
  const compiled = compileRegex(body);
  return typeof compiled === 'string'
    ? report(scope, 'invalid-regex', tree.at, `${scope.keyword}: ${compiled}`)
    : body;
};

const options = listOf(anything, { min: 1, max: 50 });

const rule = record(
  { if: notNull(expression), options, default: notNull(anything) },
  { required: ['default'] },
);

const fields = record({
  type: oneOf(...INPUT_TYPES),
  default: notNull(anything),
  description,
  options,
  regex,
  rules: listOf(rule, { min: 1 }),
});

const input: Reader<InputDefinition> = (tree, scope) => {
  const read = isNull(tree) ? {} : fields(tree, scope);
  if (!read) return undefined;
  const type = read.type ?? 'string';
  const definition: InputDefinition = {
    type,
    default: read.default,
    options: read.options,
    regex: read.regex,
    rules: read.rules?.map((one) => ({ condition: one.if, options: one.options, default: one.default })),
    at: tree.at,
  };
  checkInput(definition, tree, scope);
  return definition;
};

function checkInput(definition: InputDefinition, tree: Tree, scope: Scope): void {
  const { type, rules } = definition;
  if (definition.default && !fitsType(definition.default, type)) {
    refuse({ ...scope, keyword: `${scope.keyword}:default` }, definition.default, `of type ${type}`);
  }
  if (rules && (definition.default || definition.options)) {
    report(
      scope,
      'conflicting-keywords',
      tree.at,
      `${scope.keyword}:rules excludes default and options beside it`,
    );
  }
  if (definition.options && (type === 'array' || type === 'boolean')) {
    report(scope, 'conflicting-keywords', tree.at, `${scope.keyword}:options is for texts and numbers only`);
  }
  if (definition.regex !== undefined && type !== 'string') {
    report(scope, 'conflicting-keywords', tree.at, `${scope.keyword}:regex is for texts only`);
  }
}

export function fitsType(tree: Tree, type: InputType): boolean {
  return type === 'array' ? tree.kind === 'list' : tree.kind === 'leaf' && typeof tree.value === type;
}

/** `inputs` of a header, or of a file that a header includes. */
export const inputDeclarations = mapOf(input);

/** The header of a configuration file. */
export const spec = record({
  inputs: inputDeclarations,
  include: oneOrList(headerInclude),
  component: listOf(oneOf('name', 'sha', 'version', 'reference')),
  description: text,
});
