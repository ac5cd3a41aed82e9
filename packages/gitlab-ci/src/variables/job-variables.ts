import type { Job, Pipeline, Variable } from '../pipeline.ts';
import { forEnvironment } from './environment-scope.ts';
import { expandAll } from './expand-all.ts';

/** Weakest first, as GitLab's table of precedence has it. */
const STRENGTH: Readonly<Record<Variable['source'], number>> = {
  predefined: 0,
  global: 1,
  workflow: 2,
  job: 3,
  matrix: 4,
  rule: 5,
  dotenv: 6,
  project: 7,
  pipeline: 8,
};

/** One variable for each key, the strongest; among equals the last one given. Weakest first. */
export function strongest(variables: readonly Variable[]): readonly Variable[] {
  const byKey = new Map<string, Variable>();
  for (const variable of variables) {
    const known = byKey.get(variable.key);
    if (known && STRENGTH[known.source] > STRENGTH[variable.source]) continue;
    // The place of a stronger one is behind the weaker ones.
    if (known) byKey.delete(variable.key);
    byKey.set(variable.key, variable);
  }
  const all = [...byKey.values()];
  return isSorted(all) ? all : all.toSorted((a, b) => STRENGTH[a.source] - STRENGTH[b.source]);
}

function isSorted(variables: readonly Variable[]): boolean {
  let strength = 0;
  for (const { source } of variables) {
    if (STRENGTH[source] < strength) return false;
    strength = STRENGTH[source];
  }
  return true;
}

/**
 * The environment of a job: the pipeline's, the job's and the `extra` variables (those of the runner as
 * `predefined`, those of dotenv reports as `dotenv`), the strongest of each key, expanded by each other. Variables
 * in a circle stay unexpanded; createPipeline has reported them.
 */
export function jobVariables(
  pipeline: Pipeline,
  job: Job,
  extra: readonly Variable[] = [],
): readonly Variable[] {
  const given = [...pipeline.variables, ...job.variables, ...extra];
  const all = strongest(forEnvironment(given, job.environment?.name));
  return expandAll(all, { final: true }).variables;
}

/** Names and values for `expandVariables`. */
export function variableValues(variables: readonly Variable[]): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ key, value }) => [key, value]));
}
