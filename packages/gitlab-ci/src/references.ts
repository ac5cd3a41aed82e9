import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import type { Entry, MapTree, ReferenceTree, Tree } from './tree.ts';

const MAX_LEVELS = 10;

/** Puts the values in that `!reference` names. Parts without references stay the same objects. */
export function resolveReferences(config: MapTree, problems: Problems): MapTree {
  const resolver = new Resolver(config, problems);
  return resolver.resolve(config, []) as MapTree;
}

class Resolver {
  readonly #config: MapTree;
  readonly #problems: Problems;
  readonly #done = new Map<Tree, Tree>();

  constructor(config: MapTree, problems: Problems) {
    this.#config = config;
    this.#problems = problems;
  }

  /** `trail`: the references that led here. */
  resolve(tree: Tree, trail: readonly string[]): Tree {
    if (tree.kind === 'leaf') return tree;
    const known = this.#done.get(tree);
    if (known) return known;
    const resolved = this.#fresh(tree, trail);
    this.#done.set(tree, resolved);
    return resolved;
  }

  #fresh(tree: Exclude<Tree, { kind: 'leaf' }>, trail: readonly string[]): Tree {
    if (tree.kind === 'reference') return this.#reference(tree, trail);
    if (tree.kind === 'list') {
      const items = tree.items.map((item) => this.resolve(item, trail));
      return items.every((item, index) => item === tree.items[index]) ? tree : { ...tree, items };
    }
    let changed = false;
    const entries = new Map<string, Entry>();
    for (const [key, entry] of tree.entries) {
      const value = this.resolve(entry.value, trail);
      changed ||= value !== entry.value;
      entries.set(key, value === entry.value ? entry : { ...entry, value });
    }
    return changed ? { ...tree, entries } : tree;
  }

  #reference(tree: ReferenceTree, trail: readonly string[]): Tree {
    const name = `[${tree.path.join(', ')}]`;
    const nothing: Tree = { kind: 'leaf', value: null, text: '', at: tree.at };
    if (trail.includes(name) || trail.length >= MAX_LEVELS) {
      const why = trail.includes(name) ? 'leads back to itself' : `nests deeper than ${MAX_LEVELS} levels`;
      this.#problems.add('reference-cycle', tree.at, `!reference ${name} ${why}`);
      return nothing;
    }
    const found = this.#find(tree, name);
    return found ? this.resolve(found, [...trail, name]) : nothing;
  }

  #find(tree: ReferenceTree, name: string): Tree | undefined {
    let place: Tree = this.#config;
    for (const key of tree.path) {
      const keys: Iterable<string> = place.kind === 'map' ? place.entries.keys() : [];
      const next: Tree | undefined = place.kind === 'map' ? place.entries.get(key)?.value : undefined;
      if (!next) {
        this.#problems.add(
          'reference-missing',
          tree.at,
          `!reference ${name}: there is no ${key}`,
          nearest(key, keys),
        );
        return undefined;
      }
      place = next;
    }
    return place;
  }
}
