import { walkGraph } from '../graph.ts';
import type { Variable } from '../pipeline.ts';
import { forEnvironment } from './environment-scope.ts';
import { expandVariables, mentionedVariables } from './expand.ts';
import { strongest } from './job-variables.ts';

/** Many scopes share these, which are weaker than all others: GitLab's predefined variables. */
export interface BaseVariables {
  readonly variables: readonly Variable[];
  readonly byKey: ReadonlyMap<string, Variable>;
}

export const baseOf = (variables: readonly Variable[]): BaseVariables => ({
  variables,
  byKey: new Map(variables.map((variable) => [variable.key, variable])),
});

const MAX_DEPTH = 200;

const mentionsAny = ({ raw, value }: Variable): boolean =>
  raw !== true && (value.includes('$') || value.includes('%'));

/**
 * What a name means at one point: a few variables over the shared base. Expands only what is asked for, so that
 * looking at one name of a job does not cost all of them.
 */
export class VariableScope {
  readonly own: readonly Variable[];
  readonly #ownByKey: ReadonlyMap<string, Variable>;
  readonly #base: BaseVariables;
  readonly #expanded = new Map<string, string | undefined>();
  #depth = 0;

  /** @param environment of the job, which decides about variables that are for some environments only. */
  constructor(own: readonly Variable[], base: BaseVariables, environment?: string) {
    this.own = strongest(forEnvironment(own, environment));
    this.#ownByKey = new Map(this.own.map((variable) => [variable.key, variable]));
    this.#base = base;
  }

  /** As stored. */
  readonly variable = (name: string): string | undefined => this.#find(name)?.value;

  /** With what it mentions put in. In a circle, which `cycle` tells, the mention stays. */
  readonly expanded = (name: string): string | undefined => {
    if (this.#expanded.has(name)) return this.#expanded.get(name);
    const variable = this.#find(name);
    if (!variable || variable.raw) return variable?.value;
    if (this.#depth >= MAX_DEPTH) this.#expandBelow(name);
    this.#expanded.set(name, undefined);
    this.#depth += 1;
    const value = expandVariables(variable.value, this.expanded, { keepUndefined: true });
    this.#depth -= 1;
    this.#expanded.set(name, value);
    return value;
  };

  /** A long chain of mentions from its end, so that it is not followed by recursion. */
  #expandBelow(name: string): void {
    const { order } = walkGraph([name], (key) => {
      const variable = this.#expanded.has(key) ? undefined : this.#find(key);
      return variable && (variable.raw ? [] : mentionedVariables(variable.value));
    });
    const depth = this.#depth;
    this.#depth = 0;
    for (const key of order) if (key !== name) this.expanded(key);
    this.#depth = depth;
  }

  readonly isMasked = (name: string): boolean => this.#find(name)?.masked === true;

  /** Variables of this scope that refer to each other in a circle. */
  get cycle(): readonly string[] | undefined {
    return this.cycleFrom(() => true);
  }

  /** A circle that one of these variables leads to. */
  cycleFrom(wanted: (variable: Variable) => boolean): readonly string[] | undefined {
    const starts = this.own.filter((one) => mentionsAny(one) && wanted(one));
    if (starts.length === 0) return undefined;
    const names = starts.map(({ key }) => key);
    const { circles } = walkGraph(names, (key) => {
      const variable = this.#ownByKey.get(key);
      if (!variable || variable.raw) return undefined;
      return mentionedVariables(variable.value).filter((name) => name !== key);
    });
    return circles[0];
  }

  #find(name: string): Variable | undefined {
    return this.#ownByKey.get(name) ?? this.#base.byKey.get(name);
  }
}
