import { isText } from '../tree.ts';
import type { Mark } from '../tree.ts';
import { variableValue } from './common.ts';
import {
  filledText,
  flag,
  flatListOf,
  listOf,
  mapOf,
  mapped,
  oneOrList,
  record,
  refuse,
  report,
} from './readers.ts';
import type { Reader } from './readers.ts';

/** Which instances of a parallel job: one of these combinations, all of its variables equal. */
export type MatrixSelection = readonly ReadonlyMap<string, readonly string[]>[];

export interface NeedDefinition {
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
  readonly matrix: MatrixSelection | undefined;
  readonly at: Mark;
}

/** One map of variables, each with one value or several. */
export const matrix: Reader<MatrixSelection> = listOf(mapOf(oneOrList(variableValue)), { min: 1 });

const parallelMatrix = record({ matrix }, { required: ['matrix'] });

const fullNeed = record({
  job: filledText,
  artifacts: flag,
  optional: flag,
  parallel: parallelMatrix,
  project: filledText,
  ref: filledText,
  pipeline: filledText,
});

const narrowNeed = record({ job: filledText, artifacts: flag, optional: flag }, { required: ['job'] });

const need: Reader<NeedDefinition> = (tree, scope) => {
  if (isText(tree)) return textNeed(tree.value, tree.at);
  if (tree.kind !== 'map') return refuse(scope, tree, 'a list of job names, or of maps with job');
  const read = fullNeed(tree, scope);
  if (!read) return undefined;
  for (const key of ['project', 'pipeline'] as const) {
    if (read[key] === undefined) continue;
    return report(
      scope,
      'unsupported-keyword',
      tree.at,
      `needs:${key} takes from another pipeline, which is not here: left out`,
    );
  }
  if (read.job === undefined)
    return report(scope, 'missing-keyword', tree.at, `${scope.keyword}:job is missing`);
  return {
    job: read.job,
    artifacts: read.artifacts ?? true,
    optional: read.optional ?? false,
    matrix: read.parallel?.matrix,
    at: tree.at,
  };
};

const textNeed = (job: string, at: Mark): NeedDefinition => ({
  job,
  artifacts: true,
  optional: false,
  matrix: undefined,
  at,
});

const MAX_NEEDS = 50;

export const needs: Reader<readonly NeedDefinition[]> = mapped(flatListOf(need), (all, tree, scope) =>
  all.length > MAX_NEEDS
    ? report(
        scope,
        'invalid-value',
        tree.at,
        `${scope.keyword} has ${all.length} entries, at most ${MAX_NEEDS} are allowed`,
      )
    : all,
);

const ruleNeed: Reader<NeedDefinition> = (tree, scope) => {
  if (isText(tree)) return textNeed(tree.value, tree.at);
  const read = narrowNeed(tree, scope);
  if (read?.job === undefined) return undefined;
  return {
    ...textNeed(read.job, tree.at),
    artifacts: read.artifacts ?? true,
    optional: read.optional ?? false,
  };
};

export const ruleNeeds: Reader<readonly NeedDefinition[]> = flatListOf(ruleNeed);
