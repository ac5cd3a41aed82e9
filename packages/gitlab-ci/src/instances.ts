import type { JobDefinition } from './configuration.ts';
import type { MatrixSelection, NeedDefinition } from './keywords/needs.ts';
import type { Variable } from './pipeline.ts';

/** One of the jobs a definition stands for: itself, or one of its parallel instances. */
export interface Instance {
  readonly definition: JobDefinition;
  readonly name: string;
  /** CI_NODE_INDEX, from 1; undefined for a job that is not parallel. */
  readonly index: number | undefined;
  readonly total: number;
  readonly matrix: ReadonlyMap<string, string>;
}

/** Every instance is a job of its own from here on, with its own rules. */
export function instancesOf(definition: JobDefinition): readonly Instance[] {
  const { parallel } = definition.keywords;
  const none = new Map<string, string>();
  if (!parallel) return [{ definition, name: definition.name, index: undefined, total: 1, matrix: none }];
  if ('count' in parallel) {
    return Array.from({ length: parallel.count }, (_, at) => ({
      definition,
      name: `${definition.name} ${at + 1}/${parallel.count}`,
      index: at + 1,
      total: parallel.count,
      matrix: none,
    }));
  }
  const combinations = combinationsOf(parallel.matrix);
  // A combination written twice is one job.
  const byName = new Map<string, Instance>();
  for (const [at, matrix] of combinations.entries()) {
    const name = `${definition.name}: [${[...matrix.values()].join(', ')}]`;
    byName.set(name, { definition, name, index: at + 1, total: combinations.length, matrix });
  }
  return [...byName.values()];
}

/** All values of each map with each other; the maps one after the other. */
function combinationsOf(matrix: MatrixSelection): readonly ReadonlyMap<string, string>[] {
  return matrix.flatMap((variables) => {
    let combinations: ReadonlyMap<string, string>[] = [new Map()];
    for (const [key, values] of variables) {
      combinations = combinations.flatMap((one) => values.map((value) => new Map(one).set(key, value)));
    }
    return combinations;
  });
}

/**
 * Whether `needs:parallel:matrix` means this instance. GitLab makes names of it, as of the matrix itself: all
 * variables must be there, in the same order.
 */
export function isSelected(instance: Instance, selection: MatrixSelection | undefined): boolean {
  if (!selection) return true;
  const own = [...instance.matrix.values()];
  return selection.some((wanted) => {
    const asked = [...wanted.values()];
    return asked.length === own.length && asked.every((values, at) => values.includes(own[at] ?? ''));
  });
}

export function matrixVariables(instance: Instance): readonly Variable[] {
  return [...instance.matrix].map(([key, value]) => ({ key, value, source: 'matrix' }));
}

const MATRIX_BLOCK = /\$\[\[\s*matrix\.(\w+)\s*\]\]/g;

/** The needs of one instance: `$[[ matrix.X ]]` is its own value of X. Names that it does not have stay as written. */
export function needsOfInstance(
  instance: Instance,
  needs: readonly NeedDefinition[],
): readonly NeedDefinition[] {
  if (!needs.some((need) => need.matrix)) return needs;
  const own = (text: string): string =>
    text.replaceAll(MATRIX_BLOCK, (block, name: string) => instance.matrix.get(name) ?? block);
  return needs.map((need) =>
    need.matrix
      ? {
          ...need,
          matrix: need.matrix.map((one) => new Map([...one].map(([key, values]) => [key, values.map(own)]))),
        }
      : need,
  );
}
