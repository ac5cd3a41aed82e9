import path from 'node:path';
import { isGlob } from '@updraft/dockerfile';
import type { Build, Origin } from '../build.ts';
import { findMatches } from '../files/find-matches.ts';
import { readTree, treeParts } from '../files/source-tree.ts';
import type { Selection, SourceRoot, SourceTree } from '../files/source-tree.ts';
import { keyOf } from '../key.ts';
import { inScratch } from './layer-step.ts';
import { withOrigin } from './origin.ts';
import { selectionOf } from './selection.ts';

/** Files of an origin, as COPY names them. */
export interface SourcePatterns {
  readonly patterns: readonly string[];
  /** `--exclude`. */
  readonly exclude: readonly string[];
  /** `--parents`: what a pattern names keeps the folders of its name. */
  readonly parents: boolean;
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
  const found: FoundSource[] = [];
  for (const pattern of sources.patterns) {
    const trees = sources.parents
      ? await treesWithParents(build, root, pattern, sources.exclude)
      : await plainTrees(build, root, pattern, sources.exclude);
    found.push({ pattern, trees });
  }
  return found;
}

async function plainTrees(build: Build, root: SourceRoot, pattern: string, exclude: readonly string[]) {
  const selection = selectionOf(undefined, exclude);
  const trees = await readTrees(build, root, await findMatches(root, pattern), selection);
  // A folder that is named itself only lends its content; a file can be excluded by its name.
  return trees.filter(
    ({ name, entries: [self] }) => self?.kind === 'folder' || selection.takes(path.posix.basename(name)),
  );
}

/** `a/./b/*.c` is the part `b/*.c` of the folder `a`; without `/./` it is a part of the whole. */
async function treesWithParents(build: Build, root: SourceRoot, pattern: string, exclude: readonly string[]) {
  const pivot = pattern.indexOf('/./');
  const base = pivot < 0 ? '/' : pattern.slice(0, pivot);
  const part = pivot < 0 ? pattern : pattern.slice(pivot + '/./'.length);
  const include = part.replace(/^\/+/, '') || '.';
  const trees = await readTrees(build, root, await findMatches(root, base), selectionOf(include, exclude));
  const isMissing = trees.every(({ entries }) => entries.length <= 1) && include !== '.' && !isGlob(include);
  return isMissing ? [] : trees;
}

async function readTrees(
  build: Build,
  root: SourceRoot,
  names: readonly string[],
  selection: Selection,
): Promise<SourceTree[]> {
  const trees: SourceTree[] = [];
  for (const name of names) {
    const tree = await readTree(root, name, selection, build.workshop);
    if (tree.entries.length > 0) trees.push(tree);
  }
  return trees;
}

/** A digest of everything about the sources that can be seen in a layer. Layers never change, so theirs is remembered. */
export async function originDigest(build: Build, origin: Origin, sources: SourcePatterns): Promise<string> {
  if (origin.kind === 'context') return digestOf(await readSources(build, origin.root, sources));
  const { cache } = build.workshop;
  const layers = origin.layers.map(({ diffId }) => diffId);
  const key = keyOf('tree', 2, layers, sources.patterns, sources.exclude, sources.parents);
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
