import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import type { Entry, MapTree, ReferenceTree, Tree } from './tree.ts';

const MAX_LEVELS = 10;
/** As for aliases. */
const MAX_VALUES = 500_000;

/** Puts the values in that `!reference` names. Parts without references stay the same objects. */
export function resolveReferences(config: MapTree, problems: Problems): MapTree {
  const resolver = new Resolver(config, problems);
  const resolved = resolver.resolve(config, []);
  return resolved.kind === 'map' ? resolved : config;
}

class Resolver {
  readonly #config: MapTree;
  readonly #problems: Problems;
  readonly #done = new Map<Tree, Tree>();
  readonly #weights = new Map<Tree, number>();

  constructor(config: MapTree, problems: Problems) {
    this.#config = config;
    this.#problems = problems;
  }

  /** `trail`: the references that led here. */
  resolve(tree: Tree, trail: readonly string[]): Tree {
    if (tree.kind === 'leaf') return tree;
    const known = this.#done.get(tree);
    if (known) return known;
    const resolved = this.#bounded(this.#fresh(tree, trail), tree);
    this.#done.set(tree, resolved);
    return resolved;
  }

  /** References to references multiply: a few lines could unfold to more than any memory. */
  #bounded(resolved: Tree, written: Tree): Tree {
    if (this.#weigh(resolved) <= MAX_VALUES) return resolved;
    this.#problems.add(
      'yaml-too-large',
      written.at,
      `this unfolds to more than ${MAX_VALUES} values through !reference`,
    );
    return { kind: 'leaf', value: null, text: '', at: written.at };
  }

  /** How many values a tree unfolds to. Its parts were weighed before. */
  #weigh(tree: Tree): number {
    if (tree.kind === 'leaf' || tree.kind === 'reference') return 1;
    const known = this.#weights.get(tree);
    if (known !== undefined) return known;
    let weight = 1;
    if (tree.kind === 'list') for (const item of tree.items) weight += this.#weigh(item);
    else for (const entry of tree.entries.values()) weight += this.#weigh(entry.value);
    this.#weights.set(tree, weight);
    return weight;
  }

  #fresh(tree: Exclude<Tree, { kind: 'leaf' }>, trail: readonly string[]): Tree {
    if (tree.kind === 'reference') return this.#reference(tree, trail);
    if (tree.kind === 'list') {
      let items: Tree[] | undefined;
      for (const [index, item] of tree.items.entries()) {
        const value = this.resolve(item, trail);
        if (value === item) continue;
        items ??= [...tree.items];
        items[index] = value;
      }
      return items ? { ...tree, items } : tree;
    }
    let entries: Map<string, Entry> | undefined;
    for (const [key, entry] of tree.entries) {
      const value = this.resolve(entry.value, trail);
      if (value === entry.value) continue;
      entries ??= new Map(tree.entries);
      entries.set(key, { ...entry, value });
    }
    return entries ? { ...tree, entries } : tree;
  }

  #reference(tree: ReferenceTree, trail: readonly string[]): Tree {
    const name = `[${tree.path.join(', ')}]`;
    if (trail.includes(name) || trail.length >= MAX_LEVELS) {
      const why = trail.includes(name) ? 'leads back to itself' : `nests deeper than ${MAX_LEVELS} levels`;
      this.#problems.add('reference-cycle', tree.at, `!reference ${name} ${why}`);
      return tree;
    }
    const found = this.#find(tree, name);
    // One that leads nowhere stays: readers know that it was reported.
    return found ? this.resolve(found, [...trail, name]) : tree;
  }

  #find(tree: ReferenceTree, name: string): Tree | undefined {
    let place: Tree = this.#config;
    for (const key of tree.path) {
      const keys: Iterable<string> = place.kind === 'map' ? place.entries.keys() : [];
      const next: Tree | undefined = place.kind === 'map' ? place.entries.get(key)?.value : undefined;
      if (!next) {
        this.#problems.add('reference-missing', tree.at, `!reference ${name}: there is no ${key}`, () =>
          nearest(key, keys),
        );
        return undefined;
      }
      place = next;
    }
    return place;
  }
}
