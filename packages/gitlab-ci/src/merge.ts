import type { Entry, MapTree, Tree } from './tree.ts';

/** `over` on top of `base`: maps merge key by key at every depth, everything else is replaced. */
export function mergeMaps(base: MapTree, over: MapTree): MapTree {
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? mergeEntries(below, entry) : entry);
  }
  return { kind: 'map', entries, at: over.at };
}

function mergeEntries(base: Entry, over: Entry): Entry {
  return { ...over, value: mergeTrees(base.value, over.value) };
}

function mergeTrees(base: Tree, over: Tree): Tree {
  return base.kind === 'map' && over.kind === 'map' ? mergeMaps(base, over) : over;
}
