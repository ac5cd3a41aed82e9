import type { Variable } from '../pipeline.ts';
import { expandAll } from './expand-all.ts';
import { strongest } from './job-variables.ts';

/**
 * What a name means at one point: a few variables over a base that many share. The base is the weaker one (the
 * predefined variables), so that looking up needs no merged copy for each job.
 */
export class VariableScope {
  readonly own: readonly Variable[];
  readonly #base: readonly Variable[];
  readonly #baseValues: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, string>;
  #expanded: ReadonlyMap<string, string> | undefined;
  #cycle: readonly string[] | undefined;

  constructor(own: readonly Variable[], base: BaseVariables) {
    this.own = strongest(own);
    this.#base = base.variables;
    this.#baseValues = base.values;
    this.#values = new Map(this.own.map(({ key, value }) => [key, value]));
  }

  /** As stored. */
  readonly variable = (name: string): string | undefined =>
    this.#values.get(name) ?? this.#baseValues.get(name);

  /** With what it mentions put in. */
  readonly expanded = (name: string): string | undefined => this.#expand().get(name);

  /** Variables of this scope that refer to each other in a circle. */
  get cycle(): readonly string[] | undefined {
    this.#expand();
    return this.#cycle;
  }

  #expand(): ReadonlyMap<string, string> {
    if (this.#expanded) return this.#expanded;
    const { variables, cycle } = expandAll(strongest([...this.#base, ...this.own]), { keepUndefined: true });
    this.#cycle = cycle;
    this.#expanded = new Map(variables.map(({ key, value }) => [key, value]));
    return this.#expanded;
  }
}

export interface BaseVariables {
  readonly variables: readonly Variable[];
  readonly values: ReadonlyMap<string, string>;
}

export const baseOf = (variables: readonly Variable[]): BaseVariables => ({
  variables,
  values: new Map(variables.map(({ key, value }) => [key, value])),
});
