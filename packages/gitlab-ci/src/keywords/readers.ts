import type { ProblemCode } from '../codes.table.ts';
import type { Problems } from '../problems.ts';
import { nearest } from '../suggest.ts';
import { isNull, isText } from '../tree.ts';
import type { Entry, Mark, Tree } from '../tree.ts';

/** Where a reader is: whose keyword it reads. */
export interface Scope {
  readonly problems: Problems;
  /** `job build`, `default`, `workflow`. */
  readonly subject: string;
  /** `artifacts:paths`. */
  readonly keyword: string;
}

/**
 * Turns a value of the configuration into a typed one. Gives undefined after it has reported what is wrong, so that
 * reading goes on and all problems come at once.
 */
export interface Reader<T> {
  (tree: Tree, scope: Scope): T | undefined;
  /** `key:` with nothing behind it is a mistake here; everywhere else it means that the key is absent. */
  readonly refusesNull?: boolean;
}

export type Read<R> = R extends Reader<infer T> ? T : never;

export const within = ({ problems, subject, keyword }: Scope, key: string): Scope => ({
  problems,
  subject,
  keyword: keyword === '' ? key : `${keyword}:${key}`,
});

export function report(scope: Scope, code: ProblemCode, at: Mark, message: string): undefined {
  scope.problems.add(code, at, `${scope.subject}: ${message}`);
  return undefined;
}

/** Reports that a value is not `expected` (`a list of texts`). */
export function refuse(scope: Scope, tree: Tree, expected: string): undefined {
  // Left in only by the lint of shapes, which cannot know what it stands for.
  if (tree.kind === 'reference') return undefined;
  const message = `${scope.keyword} must be ${expected}, not ${describe(tree)}`;
  return report(scope, 'invalid-value', tree.at, message);
}

export function describe(tree: Tree): string {
  if (tree.kind === 'map') return 'a map';
  if (tree.kind === 'list') return 'a list';
  if (tree.kind === 'reference') return 'a !reference';
  if (tree.value === null) return 'empty';
  const type =
    typeof tree.value === 'string' ? 'the text' : typeof tree.value === 'number' ? 'the number' : '';
  return `${type} ${shorten(tree.text)}`.trim();
}

const shorten = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);

export const text: Reader<string> = (tree, scope) =>
  isText(tree) ? tree.value : refuse(scope, tree, `a text${quoteHint(tree)}`);

function quoteHint(tree: Tree): string {
  return tree.kind === 'leaf' && tree.value !== null ? ' (put it in quotes)' : '';
}

export const filledText: Reader<string> = (tree, scope) =>
  isText(tree) && tree.value === '' ? refuse(scope, tree, 'a text that is not empty') : text(tree, scope);

export const flag: Reader<boolean> = (tree, scope) =>
  tree.kind === 'leaf' && typeof tree.value === 'boolean' ? tree.value : refuse(scope, tree, 'true or false');

export function integer(min: number, max: number): Reader<number> {
  return (tree, scope) => {
    const value = tree.kind === 'leaf' ? tree.value : undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return refuse(scope, tree, `a whole number from ${min} to ${max}`);
  };
}

export function oneOf<const W extends string>(...words: readonly W[]): Reader<W> {
  return (tree, scope) => {
    if (tree.kind === 'leaf') {
      const found = words.find((word) => word === tree.value);
      if (found !== undefined) return found;
    }
    const suggestion = isText(tree) ? () => nearest(tree.value, words) : undefined;
    const message = `${scope.keyword} must be ${alternatives(words)}, not ${describe(tree)}`;
    scope.problems.add('invalid-value', tree.at, `${scope.subject}: ${message}`, suggestion);
    return undefined;
  };
}

function alternatives(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Items that cannot be read are left out, after they were reported. */
export function listOf<T>(
  item: Reader<T>,
  options: { min?: number; max?: number } = {},
): Reader<readonly T[]> {
  return (tree, scope) => {
    if (tree.kind !== 'list') return refuse(scope, tree, 'a list');
    const { min = 0, max = Number.POSITIVE_INFINITY } = options;
    if (tree.items.length < min) return refuse(scope, tree, 'a list that is not empty');
    if (tree.items.length > max) {
      return report(
        scope,
        'invalid-value',
        tree.at,
        `${scope.keyword} has ${tree.items.length} entries, at most ${max} are allowed`,
      );
    }
    return tree.items.map((one) => item(one, scope)).filter((one) => one !== undefined);
  };
}

const MAX_NESTING = 10;

/** Lists in lists become one, as `!reference` leaves them. */
export function flatten(tree: Tree, scope: Scope, depth = 0): readonly Tree[] {
  if (tree.kind !== 'list') return [tree];
  if (depth >= MAX_NESTING) {
    report(scope, 'invalid-value', tree.at, `${scope.keyword} nests lists deeper than ${MAX_NESTING} levels`);
    return [];
  }
  return tree.items.flatMap((item) => flatten(item, scope, depth + 1));
}

export function flatListOf<T>(item: Reader<T>): Reader<readonly T[]> {
  return (tree, scope) => {
    if (tree.kind !== 'list') return refuse(scope, tree, 'a list');
    return flatten(tree, scope)
      .map((one) => item(one, scope))
      .filter((one) => one !== undefined);
  };
}

export function oneOrList<T>(
  item: Reader<T>,
  options: { min?: number; max?: number } = {},
): Reader<readonly T[]> {
  const list = listOf(item, options);
  return (tree, scope) => {
    if (tree.kind === 'list') return list(tree, scope);
    const one = item(tree, scope);
    return one === undefined ? undefined : [one];
  };
}

/** Every key is the user's own. */
export function mapOf<T>(value: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (tree, scope) => {
    if (tree.kind !== 'map') return refuse(scope, tree, 'a map');
    const result = new Map<string, T>();
    for (const entry of tree.entries.values()) {
      const read = value(entry.value, within(scope, entry.key));
      if (read !== undefined) result.set(entry.key, read);
    }
    return result;
  };
}

export type Fields = Readonly<Record<string, Reader<unknown>>>;
export type ReadFields<F extends Fields> = { readonly [K in keyof F]?: Read<F[K]> };

export interface RecordOptions {
  readonly required?: readonly string[];
  /** Values that come from one place are read once: those of a template that hundreds of jobs extend. */
  readonly isShared?: boolean;
}

/** A map with known keys; unknown ones are reported with the nearest known one. */
export function record<F extends Fields>(fields: F, options: RecordOptions = {}): Reader<ReadFields<F>> {
  return (tree, scope) => {
    if (tree.kind !== 'map') return refuse(scope, tree, `a map of ${Object.keys(fields).join(', ')}`);
    const result: Record<string, unknown> = {};
    for (const entry of tree.entries.values()) {
      const read = options.isShared ? readShared(fields, entry, scope) : readField(fields, entry, scope);
      if (read !== undefined) result[entry.key] = read;
    }
    for (const key of options.required ?? []) {
      const given = tree.entries.get(key);
      if (given && !isNull(given.value)) continue;
      report(scope, 'missing-keyword', given?.at ?? tree.at, `${within(scope, key).keyword} is missing`);
    }
    return result as ReadFields<F>;
  };
}

/** Problems at one place are kept once, so not reading it again hides none. */
function readShared(fields: Fields, entry: Entry, scope: Scope): unknown {
  const { value, key } = entry;
  if (value.kind === 'leaf') return readField(fields, entry, scope);
  const values = scope.problems.readValues(key);
  if (values.has(value)) return values.get(value);
  const read = readField(fields, entry, scope);
  values.set(value, read);
  return read;
}

function readField(fields: Fields, entry: Entry, scope: Scope): unknown {
  const reader = Object.hasOwn(fields, entry.key) ? fields[entry.key] : undefined;
  const inner = within(scope, entry.key);
  if (!reader) return unknownKeyword(entry, inner, Object.keys(fields));
  if (isNull(entry.value) && !reader.refusesNull) return undefined;
  return reader(entry.value, inner);
}

export function unknownKeyword(entry: Entry, scope: Scope, known: readonly string[]): undefined {
  const message = `${scope.subject}: unknown keyword ${scope.keyword}`;
  scope.problems.add('unknown-keyword', entry.at, message, () => nearest(entry.key, known));
  return undefined;
}

/** The same reader, but `key:` with nothing behind it is reported. */
export function notNull<T>(reader: Reader<T>): Reader<T> {
  const strict = (tree: Tree, scope: Scope) =>
    isNull(tree) ? refuse(scope, tree, 'given a value') : reader(tree, scope);
  return Object.assign(strict, { refusesNull: true });
}

export function mapped<T, U>(
  reader: Reader<T>,
  change: (value: T, tree: Tree, scope: Scope) => U | undefined,
): Reader<U> {
  return (tree, scope) => {
    const value = reader(tree, scope);
    return value === undefined ? undefined : change(value, tree, scope);
  };
}

/** Reads the value, then says that it has no effect here. */
export function unsupported<T>(reader: Reader<T>, instead: string): Reader<T> {
  return mapped(reader, (value, tree, scope) => {
    report(scope, 'unsupported-keyword', tree.at, `${scope.keyword} has no effect here: ${instead}`);
    return value;
  });
}

export const anything: Reader<Tree> = (tree) => tree;
