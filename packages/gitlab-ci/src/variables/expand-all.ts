import { walkGraph } from '../graph.ts';
import type { Variable } from '../pipeline.ts';
import { expandVariables, mentionedVariables } from './expand.ts';
import type { ExpandOptions } from './expand.ts';

export interface ExpandAllOptions extends ExpandOptions {
  /** false: a mention of a raw variable stays a mention. */
  readonly expandRawRefs?: boolean;
  /** false: a mention of a file variable stays a mention. */
  readonly expandFileRefs?: boolean;
  /** With keepUndefined: mentions of these stay exactly as they are written. */
  readonly keep?: (mentioned: Variable) => boolean;
}

export interface ExpandedVariables {
  readonly variables: readonly Variable[];
  /** The names that refer to each other in a circle, in its order; then nothing was expanded. */
  readonly cycle: readonly string[] | undefined;
}

/** Of all values together; no process could be given more. */
const MAX_TOTAL = 16 * 1024 * 1024;

/**
 * Expands variables by each other, each once, the ones it mentions first. Keys must be unique. One circle anywhere
 * leaves all of them as they were, as in GitLab. Raw values are put in literally and never expanded themselves.
 */
export function expandAll(variables: readonly Variable[], options: ExpandAllOptions = {}): ExpandedVariables {
  const byKey = new Map(variables.map((variable) => [variable.key, variable]));
  const { order, circles } = walkGraph(byKey.keys(), (key) => {
    const variable = byKey.get(key);
    if (!variable || variable.raw) return variable && [];
    // `PATH: $PATH:/more` mentions whatever was there before: no circle.
    return mentionedVariables(variable.value).filter((name) => name !== key);
  });
  if (circles[0]) return { variables, cycle: circles[0] };
  const values = new Map<string, string>();
  const look = (name: string) => {
    const mentioned = byKey.get(name);
    if (mentioned && options.keep?.(mentioned)) return undefined;
    if (mentioned?.raw && options.expandRawRefs === false) return `$${name}`;
    if (mentioned?.file && options.expandFileRefs === false) return `$${name}`;
    return values.get(name);
  };
  let total = 0;
  for (const key of order) {
    const variable = byKey.get(key);
    if (!variable) continue;
    const isPlain = variable.raw === true || total > MAX_TOTAL;
    const value = isPlain ? variable.value : expandVariables(variable.value, look, options);
    total += value.length;
    values.set(key, value);
  }
  const expanded = variables.map((variable) => ({
    ...variable,
    value: values.get(variable.key) ?? variable.value,
  }));
  return { variables: expanded, cycle: undefined };
}
