import type { ForeignNeed } from '../pipeline.ts';
import { isText, positionOf } from '../tree.ts';
import type { Mark, Tree } from '../tree.ts';
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
import type { Reader, Scope } from './readers.ts';

/** Which instances of a parallel job: one of these combinations, all of its variables equal. */
export type MatrixSelection = readonly ReadonlyMap<string, readonly string[]>[];

export interface NeedDefinition {
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
  readonly matrix: MatrixSelection | undefined;
  /** A job of another pipeline: kept apart from the others once the job is read. */
  readonly foreign?: ForeignNeed;
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
  const foreign = foreignNeed(read, tree, scope);
  if (foreign) return { ...textNeed(foreign.job ?? '', tree.at), foreign };
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

type FullNeed = NonNullable<ReturnType<typeof fullNeed>>;

function foreignNeed(read: FullNeed, tree: Tree, scope: Scope): ForeignNeed | undefined {
  const kind = read.project === undefined ? 'pipeline' : 'project';
  const source = read[kind];
  if (source === undefined) return undefined;
  if (read.parallel)
    report(
      scope,
      'conflicting-keywords',
      tree.at,
      `${scope.keyword}:${kind} and parallel exclude each other`,
    );
  if (kind === 'project') checkForeignProject(read, tree, scope);
  return {
    kind,
    source,
    job: read.job,
    ref: read.ref,
    artifacts: read.artifacts ?? true,
    optional: read.optional ?? false,
    position: positionOf(tree.at),
  };
}

function checkForeignProject(read: FullNeed, tree: Tree, scope: Scope): void {
  for (const key of ['job', 'ref'] as const) {
    if (read[key] !== undefined) continue;
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:${key} is missing beside project`);
  }
  const message = `${scope.keyword}:project takes artifacts of another project, which cannot be fetched here: the job fails when it needs them, unless it is optional`;
  report(scope, 'unsupported-keyword', tree.at, message);
}

const textNeed = (job: string, at: Mark): NeedDefinition => ({
  job,
  artifacts: true,
  optional: false,
  matrix: undefined,
  at,
});

const MAX_NEEDS = 50;

const needList: Reader<readonly NeedDefinition[]> = (tree, scope) =>
  // `needs: {pipeline: …}`, the one way to write it without a list.
  tree.kind === 'map'
    ? flatListOf(need)({ ...tree, kind: 'list', items: [tree] }, scope)
    : flatListOf(need)(tree, scope);

export const needs: Reader<readonly NeedDefinition[]> = mapped(needList, (all, tree, scope) =>
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
