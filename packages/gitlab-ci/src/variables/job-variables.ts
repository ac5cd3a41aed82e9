import type { Job, Pipeline, Variable } from '../pipeline.ts';
import { forEnvironment } from './environment-scope.ts';
import { expandAll } from './expand-all.ts';
import { expandAsRunner } from './expand.ts';

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
 * `predefined`, those of dotenv reports as `dotenv`), the strongest of each key, expanded by each other: once as
 * GitLab's server does, then as its runner does. Variables in a circle stay unexpanded; createPipeline has reported
 * them. `pathOf`: where the job finds a variable of type file; that is what others get of it, never its content.
 */
export function jobVariables(
  pipeline: Pipeline,
  job: Job,
  extra: readonly Variable[] = [],
  pathOf: (variable: Variable) => string | undefined = () => undefined,
): readonly Variable[] {
  const given = [...pipeline.variables, ...job.variables, ...extra];
  const all = strongest(forEnvironment(given, job.environment?.name));
  const keep = (variable: Variable): boolean => variable.raw === true || pathOf(variable) !== undefined;
  const { variables, cycle } = expandAll(all, { keepUndefined: true, keep });
  if (cycle) return variables;
  const values = new Map(variables.map((variable) => [variable.key, pathOf(variable) ?? variable.value]));
  return variables.map((variable) => {
    const { key, raw, value } = variable;
    if (raw || !value.includes('$')) return variable;
    // `PATH: $PATH:/more` mentions whatever was there before, which is nothing.
    const look = (name: string): string | undefined => (name === key ? undefined : values.get(name));
    return { ...variable, value: expandAsRunner(value, look) };
  });
}

/** Names and values for `expandVariables`. */
export function variableValues(variables: readonly Variable[]): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ key, value }) => [key, value]));
}
