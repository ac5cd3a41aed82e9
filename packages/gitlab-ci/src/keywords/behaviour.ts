import { compileRegex } from '../expression/regex.ts';
import type { AllowFailure, Retry } from '../pipeline.ts';
import { isText } from '../tree.ts';
import { RETRY_REASONS } from './artifacts.table.ts';
import { matrix } from './needs.ts';
import type { MatrixSelection } from './needs.ts';
import { flag, integer, listOf, mapped, oneOf, oneOrList, record, refuse, report, text } from './readers.ts';
import type { Reader } from './readers.ts';

const exitCodes: Reader<readonly number[]> = mapped(
  oneOrList(integer(0, 255), { min: 1 }),
  (codes, tree, scope) =>
    new Set(codes).size === codes.length
      ? codes
      : report(scope, 'invalid-value', tree.at, `${scope.keyword} names a code twice`),
);

const allowedCodes = record({ exit_codes: exitCodes }, { required: ['exit_codes'] });

export const allowFailure: Reader<AllowFailure> = (tree, scope) => {
  if (tree.kind !== 'map') return flag(tree, scope);
  const codes = allowedCodes(tree, scope)?.exit_codes;
  return codes && { exitCodes: codes };
};

const attempts = integer(0, 2);
const retryFields = record({
  max: attempts,
  when: oneOrList(oneOf(...RETRY_REASONS)),
  exit_codes: exitCodes,
});

export const retry: Reader<Retry> = (tree, scope) => {
  if (tree.kind !== 'map') {
    const max = attempts(tree, scope);
    return max === undefined ? undefined : { max, when: ['always'], exitCodes: [] };
  }
  const read = retryFields(tree, scope);
  if (!read) return undefined;
  const codes = read.exit_codes ?? [];
  // With codes alone, only they are a reason.
  const reasons = read.when ?? (codes.length > 0 ? [] : ['always']);
  return { max: read.max ?? 0, when: reasons, exitCodes: codes };
};

export type Parallel = { readonly count: number } | { readonly matrix: MatrixSelection };

const MAX_PARALLEL = 200;
const count = integer(1, MAX_PARALLEL);
const matrixFields = record({ matrix }, { required: ['matrix'] });

export const parallel: Reader<Parallel> = (tree, scope) => {
  if (tree.kind !== 'map') {
    const value = count(tree, scope);
    return value === undefined ? undefined : { count: value };
  }
  const read = matrixFields(tree, scope)?.matrix;
  if (!read) return undefined;
  const total = read.reduce(
    (sum, one) => sum + [...one.values()].reduce((product, values) => product * values.length, 1),
    0,
  );
  if (total > MAX_PARALLEL) {
    return report(
      scope,
      'parallel-limit',
      tree.at,
      `${scope.keyword} makes ${total} jobs, at most ${MAX_PARALLEL} are allowed`,
    );
  }
  return { matrix: read };
};

/** The RE2 text between the slashes, flags in front. Slashes inside need no backslash here. */
export const coverage: Reader<string> = (tree, scope) => {
  const [, written, flags = ''] = (isText(tree) && /^\/([^]+)\/([ismU]*)$/.exec(tree.value)) || [];
  if (written === undefined) return refuse(scope, tree, 'a regular expression between slashes');
  const body = `${flags && `(?${flags})`}${written.replaceAll(String.raw`\/`, '/')}`;
  const regex = compileRegex(body);
  if (typeof regex === 'string') return report(scope, 'invalid-regex', tree.at, `${scope.keyword}: ${regex}`);
  return body;
};

/** As `DEFAULT_KEYWORDS` has them; a test holds the two together. */
export const INHERITABLE = [
  'after_script',
  'artifacts',
  'before_script',
  'cache',
  'hooks',
  'id_tokens',
  'identity',
  'image',
  'interruptible',
  'retry',
  'services',
  'tags',
  'timeout',
] as const;

export interface Inherit {
  readonly default: boolean | readonly string[];
  readonly variables: boolean | readonly string[];
}

const flagOr =
  (names: Reader<readonly string[]>): Reader<boolean | readonly string[]> =>
  (tree, scope) =>
    tree.kind === 'list' ? names(tree, scope) : flag(tree, scope);

export const inherit: Reader<Inherit> = mapped(
  record({ default: flagOr(listOf(oneOf(...INHERITABLE))), variables: flagOr(listOf(text)) }),
  (read) => ({ default: read.default ?? true, variables: read.variables ?? true }),
);
