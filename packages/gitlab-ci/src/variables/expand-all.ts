import type { Variable } from '../pipeline.ts';
import { expandVariables, mentionedVariables } from './expand.ts';
import type { ExpandOptions } from './expand.ts';

export interface ExpandAllOptions extends ExpandOptions {
  /** false: a mention of a raw variable stays a mention. */
  readonly expandRawRefs?: boolean;
  /** false: a mention of a file variable stays a mention. */
  readonly expandFileRefs?: boolean;
}

export interface ExpandedVariables {
  readonly variables: readonly Variable[];
  /** The names that refer to each other in a circle, in its order; then nothing was expanded. */
  readonly cycle: readonly string[] | undefined;
}

/**
 * Expands variables by each other, each once, the ones it mentions first. Keys must be unique. One circle anywhere
 * leaves all of them as they were, as in GitLab. Raw values are put in literally and never expanded themselves.
 */
export function expandAll(variables: readonly Variable[], options: ExpandAllOptions = {}): ExpandedVariables {
  const byKey = new Map(variables.map((variable) => [variable.key, variable]));
  const sorted = sortByMention(byKey);
  if ('cycle' in sorted) return { variables, cycle: sorted.cycle };
  const values = new Map<string, string>();
  const look = (name: string) => {
    const mentioned = byKey.get(name);
    if (mentioned?.raw && options.expandRawRefs === false) return `$${name}`;
    if (mentioned?.file && options.expandFileRefs === false) return `$${name}`;
    return values.get(name);
  };
  for (const variable of sorted.order) {
    values.set(variable.key, variable.raw ? variable.value : expandVariables(variable.value, look, options));
  }
  const expanded = variables.map((variable) => ({
    ...variable,
    value: values.get(variable.key) ?? variable.value,
  }));
  return { variables: expanded, cycle: undefined };
}

type Sorted = { readonly order: readonly Variable[] } | { readonly cycle: readonly string[] };

/** Depth first without recursion: a chain of ten thousand variables must not exhaust the stack. */
function sortByMention(byKey: ReadonlyMap<string, Variable>): Sorted {
  const order: Variable[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const start of byKey.keys()) {
    const path: { key: string; rest: string[] }[] = [];
    let next: string | undefined = start;
    while (next !== undefined || path.length > 0) {
      if (next !== undefined && state.get(next) === 'open') {
        const from = path.findIndex((step) => step.key === next);
        return { cycle: [...path.slice(from).map((step) => step.key), next] };
      }
      const entered: Variable | undefined =
        next !== undefined && !state.has(next) ? byKey.get(next) : undefined;
      if (entered) {
        state.set(entered.key, 'open');
        path.push({ key: entered.key, rest: entered.raw ? [] : mentionedVariables(entered.value) });
      }
      next = path.at(-1)?.rest.shift();
      if (next !== undefined) continue;
      const left = path.pop();
      const variable = left && byKey.get(left.key);
      if (!variable) continue;
      state.set(variable.key, 'done');
      order.push(variable);
      next = path.at(-1)?.rest.shift();
    }
  }
  return { order };
}
