import type { Position } from './pipeline.ts';

/** One file of the configuration, with the way it came in. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  /** Files that led here, outermost first. */
  readonly includedFrom: readonly string[];
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string, includedFrom: readonly string[] = []) {
    this.path = path;
    this.text = text;
    this.includedFrom = includedFrom;
  }

  position(offset: number): Position {
    const starts = (this.#lineStarts ??= lineStarts(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const place = { file: this.path, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
    return this.includedFrom.length > 0 ? { ...place, includedFrom: this.includedFrom } : place;
  }
}

/** Stands for the file of something that was read before and of which only the place is left. */
export class FixedPlace extends SourceFile {
  readonly #position: Position;

  constructor(position: Position) {
    super(position.file, '', position.includedFrom);
    this.#position = position;
  }

  override position(): Position {
    return this.#position;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** A place in a file; cheap to keep, turned into line and column only when shown. */
export interface Mark {
  readonly source: SourceFile;
  readonly offset: number;
}

export const positionOf = (mark: Mark): Position => mark.source.position(mark.offset);

/** What YAML says, with places. Never changed after it was made, and shared freely: an alias is the same object. */
export type Tree = MapTree | ListTree | Leaf | ReferenceTree;

export interface MapTree {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Mark;
}

export interface Entry {
  readonly key: string;
  /** Of the key. */
  readonly at: Mark;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly at: Mark;
}

export interface Leaf {
  readonly kind: 'leaf';
  readonly value: string | number | boolean | null;
  /** As Ruby prints the value, which is what becomes of it in a variable: `1.0`, `true`; empty for null. */
  readonly text: string;
  readonly at: Mark;
}

/** `!reference [job, key, …]`, gone once references are resolved. */
export interface ReferenceTree {
  readonly kind: 'reference';
  readonly path: readonly string[];
  readonly at: Mark;
}

export const isNull = (tree: Tree): boolean => tree.kind === 'leaf' && tree.value === null;

export const isText = (tree: Tree): tree is Leaf & { readonly value: string } =>
  tree.kind === 'leaf' && typeof tree.value === 'string';

export function child(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.entries.get(key)?.value : undefined;
}

export function withEntry(map: MapTree, entry: Entry): MapTree {
  return { ...map, entries: new Map(map.entries).set(entry.key, entry) };
}

export function withoutEntry(map: MapTree, key: string): MapTree {
  if (!map.entries.has(key)) return map;
  const entries = new Map(map.entries);
  entries.delete(key);
  return { ...map, entries };
}

/** Whether a tree has more values than this; looks at no more than that many. */
export function isLargerThan(tree: Tree, limit: number): boolean {
  const open: Tree[] = [tree];
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen >= limit || open.length > limit) return true;
    const next = open.pop();
    if (next?.kind === 'list') for (const item of next.items) open.push(item);
    if (next?.kind === 'map') for (const entry of next.entries.values()) open.push(entry.value);
  }
  return false;
}

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** The value alone. Keys such as `__proto__` stay ordinary keys. */
export function plain(tree: Tree): Plain {
  switch (tree.kind) {
    case 'leaf':
      // `1.0` and numbers beyond a double's reach mean their digits.
      return typeof tree.value === 'number' && String(tree.value) !== tree.text ? tree.text : tree.value;
    case 'list':
      return tree.items.map(plain);
    case 'reference':
      return [...tree.path];
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plain(entry.value)]));
  }
}

/** A tree from plain data, all of it at one place. What is no plain data becomes null. */
export function treeOf(value: unknown, at: Mark): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => treeOf(item, at)), at };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, { key, at, value: treeOf(item, at) }] as const,
    );
    return { kind: 'map', entries: new Map(entries), at };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'leaf', value, text: String(value), at };
  }
  return { kind: 'leaf', value: null, text: '', at };
}
