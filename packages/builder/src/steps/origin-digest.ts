import { compileIgnore } from '@updraft/dockerfile';
import type { Build, Origin } from '../build.ts';
import { findMatches, readTree, treeParts } from '../files/source-tree.ts';
import type { SourceRoot, SourceTree } from '../files/source-tree.ts';
import { keyOf } from '../key.ts';
import { inScratch } from './layer-step.ts';
import { withOrigin } from './origin.ts';

/** Files of an origin, as COPY names them. */
export interface SourcePatterns {
  readonly patterns: readonly string[];
  /** `--exclude`. */
  readonly exclude: readonly string[];
  /** `**` is understood (`--parents`). */
  readonly folders: boolean;
}

/** One pattern and what it stands for. */
export interface FoundSource {
  readonly pattern: string;
  readonly trees: readonly SourceTree[];
}

export async function readSources(
  build: Build,
  root: SourceRoot,
  sources: SourcePatterns,
): Promise<FoundSource[]> {
  const excluded = compileIgnore(sources.exclude.join('\n'));
  const found: FoundSource[] = [];
  for (const pattern of sources.patterns) {
    const names = await findMatches(root, pattern, sources.folders);
    const trees: SourceTree[] = [];
    for (const name of names) {
      if (excluded(name.split('/').at(-1) ?? name) && name !== '') continue;
      const tree = await readTree(root, name, excluded, build.workshop);
      if (tree.entries.length > 0) trees.push(tree);
    }
    found.push({ pattern, trees });
  }
  return found;
}

/** A digest of everything about the sources that can be seen in a layer. Layers never change, so theirs is remembered. */
export async function originDigest(build: Build, origin: Origin, sources: SourcePatterns): Promise<string> {
  if (origin.kind === 'context') return digestOf(await readSources(build, origin.root, sources));
  const { cache } = build.workshop;
  const layers = origin.layers.map(({ diffId }) => diffId);
  const key = keyOf('tree', layers, sources.patterns, sources.exclude, sources.folders);
  const known = cache.tree(key);
  if (known !== undefined) return known;
  const read = (folder: string) =>
    withOrigin(build, origin, folder, async (root) => digestOf(await readSources(build, root, sources)));
  const digest = await inScratch(build, read);
  cache.putTree(key, digest);
  return digest;
}

export function digestOf(found: readonly FoundSource[]): string {
  return keyOf(
    found.map(({ pattern, trees }) => [pattern, trees.map((tree) => [tree.name, treeParts(tree)])]),
  );
}
