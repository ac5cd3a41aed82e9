import { mergeMaps } from './merge.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { isNull, isText, withoutEntry } from './tree.ts';
import type { Entry, MapTree, Tree } from './tree.ts';

/** GitLab's limit on a chain of parents. */
const MAX_LEVELS = 11;

/** Puts every job on top of the ones it extends. `extends` is gone afterwards. */
export function resolveExtends(config: MapTree, problems: Problems): MapTree {
  const inheritance = new Inheritance(config, problems);
  const entries = new Map<string, Entry>();
  for (const entry of config.entries.values()) {
    entries.set(entry.key, { ...entry, value: inheritance.resolve(entry, []) });
  }
  return { ...config, entries };
}

class Inheritance {
  readonly #config: MapTree;
  readonly #problems: Problems;
  readonly #done = new Map<string, Tree>();

  constructor(config: MapTree, problems: Problems) {
    this.#config = config;
    this.#problems = problems;
  }

  resolve(entry: Entry, chain: readonly string[]): Tree {
    const known = this.#done.get(entry.key);
    if (known) return known;
    const { value } = entry;
    const parents = value.kind === 'map' ? value.entries.get('extends') : undefined;
    if (value.kind !== 'map' || !parents) return value;
    const own = withoutEntry(value, 'extends');
    const resolved = this.#onParents(own, parents, [...chain, entry.key]);
    this.#done.set(entry.key, resolved);
    return resolved;
  }

  #onParents(own: MapTree, parents: Entry, chain: readonly string[]): MapTree {
    let base: MapTree | undefined;
    for (const name of this.#names(parents, chain)) {
      const parent = this.#parent(name, parents, chain);
      if (parent) base = base ? mergeMaps(base, parent) : parent;
    }
    return base ? { ...mergeMaps(base, own), at: own.at } : own;
  }

  #names(parents: Entry, chain: readonly string[]): readonly string[] {
    const { value } = parents;
    const items = value.kind === 'list' ? value.items : isNull(value) ? [] : [value];
    return items.flatMap((item) => {
      if (isText(item)) return [item.value];
      this.#problems.add(
        'invalid-value',
        item.at,
        `job ${chain.at(-1)}: extends must be a job's name or a list of names`,
      );
      return [];
    });
  }

  #parent(name: string, parents: Entry, chain: readonly string[]): MapTree | undefined {
    const job = chain.at(-1);
    const at = parents.value.at;
    if (chain.includes(name)) {
      const circle = [...chain.slice(chain.indexOf(name)), name].join(' extends ');
      this.#problems.add('extends-cycle', at, `job ${job}: ${circle}`);
      return undefined;
    }
    if (chain.length > MAX_LEVELS) {
      this.#problems.add('extends-cycle', at, `job ${chain[0]}: extends more than ${MAX_LEVELS} levels deep`);
      return undefined;
    }
    const entry = this.#config.entries.get(name);
    const parent = entry && this.resolve(entry, chain);
    if (parent?.kind === 'map') return parent;
    const why = entry ? 'is not a job' : 'does not exist';
    const suggestion = entry ? undefined : () => nearest(name, this.#config.entries.keys());
    this.#problems.add('extends-missing', at, `job ${job}: extends ${name}, which ${why}`, suggestion);
    return undefined;
  }
}
