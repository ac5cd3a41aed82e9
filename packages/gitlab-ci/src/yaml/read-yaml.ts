import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Document, Node, Pair, Scalar as YamlScalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Problems } from '../problems.ts';
import type { Entry, Leaf, MapTree, Mark, SourceFile, Tree } from '../tree.ts';
import { readSimpleYaml } from './read-simple.ts';
import { looksLikeDate, readPlainScalar } from './scalar.ts';

/** GitLab's own limits on one file. */
const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_DEPTH = 100;
/** Values after all aliases are followed; stops files that unfold without end. */
const MAX_VALUES = 500_000;

const REFERENCE = '!reference';
const YAML_TAG = 'tag:yaml.org,2002:';

/**
 * Reads the documents of a file as GitLab does: YAML 1.1, last duplicate wins, `<<` merges, `!reference` kept.
 * Never throws: what is wrong goes to `problems`, and a document that is no YAML is left out.
 */
export function readYaml(source: SourceFile, problems: Problems): readonly Tree[] {
  if (source.text.length > MAX_CHARACTERS) {
    problems.add('yaml-too-large', { source, offset: 0 }, `${source.path} is larger than 2 MiB`);
    return [];
  }
  const simple = readSimpleYaml(source);
  return simple ? [simple] : readCompleteYaml(source, problems);
}

/** Any YAML, by the parser of the yaml package. Exported for the test that holds the two readers together. */
export function readCompleteYaml(source: SourceFile, problems: Problems): readonly Tree[] {
  try {
    return parseDocuments(source, problems);
  } catch (error) {
    if (error instanceof TooLarge) {
      problems.add('yaml-too-large', error.at, `${source.path} ${error.message}`);
    } else {
      // The parser recurses: it can only get here by nesting beyond the stack.
      problems.add('yaml-too-large', { source, offset: 0 }, `${source.path} is nested too deep to be read`);
    }
    return [];
  }
}

class TooLarge extends Error {
  readonly at: Mark;

  constructor(at: Mark, message: string) {
    super(message);
    this.at = at;
  }
}

function parseDocuments(source: SourceFile, problems: Problems): readonly Tree[] {
  // `failsafe`: every scalar comes as text, and what it means is decided here, as Psych does.
  const parsed = parseAllDocuments(source.text, {
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    strict: true,
  });
  const documents: Document[] = Array.isArray(parsed) ? [...parsed] : [];
  for (const document of documents) {
    for (const error of document.errors.slice(0, 5)) {
      problems.add(
        'yaml-syntax',
        { source, offset: error.pos[0] },
        `not valid YAML: ${firstLine(error.message)}`,
      );
    }
  }
  const sound = documents.filter((document) => document.errors.length === 0);
  return sound.map((document) => new Reader(source, problems).read(document.contents, 0));
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;

interface Anchored {
  readonly tree: Tree;
  readonly weight: number;
}

/** A map while it is read. */
interface OpenMap {
  readonly entries: Map<string, Entry>;
  /** Keys written in it, not merged. */
  readonly own: Set<string>;
}

class Reader {
  readonly #source: SourceFile;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, Anchored | 'open'>();
  #values = 0;

  constructor(source: SourceFile, problems: Problems) {
    this.#source = source;
    this.#problems = problems;
  }

  read(node: unknown, depth: number): Tree {
    const at = this.#mark(node);
    this.#count(1, at);
    if (depth > MAX_DEPTH) throw new TooLarge(at, `is nested deeper than ${MAX_DEPTH} levels`);
    if (isAlias(node)) return this.#alias(node.source, at);
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor === undefined) return this.#value(node, at, depth);
    const before = this.#values;
    this.#anchors.set(anchor, 'open');
    const tree = this.#value(node, at, depth);
    this.#anchors.set(anchor, { tree, weight: this.#values - before });
    return tree;
  }

  #value(node: unknown, at: Mark, depth: number): Tree {
    if (isMap(node)) return this.#map(node, at, depth);
    if (isSeq(node)) return this.#list(node, at, depth);
    if (isScalar(node)) return this.#leaf(node, at);
    return { kind: 'leaf', value: null, text: '', at };
  }

  #alias(name: string, at: Mark): Tree {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined || anchored === 'open') {
      const why = anchored === 'open' ? 'contains itself' : 'has no anchor before it in this file';
      this.#problems.add('yaml-alias', at, `the alias *${name} ${why}`);
      return { kind: 'leaf', value: null, text: '', at };
    }
    this.#count(anchored.weight, at);
    return anchored.tree;
  }

  #list(node: YAMLSeq, at: Mark, depth: number): Tree {
    const items = node.items.map((item) => this.read(item, depth + 1));
    if (node.tag !== REFERENCE) {
      this.#checkTag(node, at);
      return { kind: 'list', items, at };
    }
    const path = items.map((item) => (item.kind === 'leaf' ? item.text : ''));
    if (path.length === 0 || path.includes('')) {
      this.#problems.add('invalid-value', at, '!reference must be a list of keys, such as [.setup, script]');
    }
    // The list's place is its bracket; the user looks for the tag.
    const tagAt = this.#source.text.lastIndexOf(REFERENCE, at.offset);
    return { kind: 'reference', path, at: tagAt === -1 ? at : { ...at, offset: tagAt } };
  }

  #leaf(node: YamlScalar, at: Mark): Leaf {
    this.#checkTag(node, at);
    // The failsafe schema gives nothing but texts.
    const source = typeof node.value === 'string' ? node.value : '';
    if (node.type !== 'PLAIN' || node.tag === `${YAML_TAG}str`) {
      return { kind: 'leaf', value: source, text: source, at };
    }
    if (looksLikeDate(source)) {
      this.#problems.add('yaml-date', at, `GitLab refuses the unquoted date ${source}: put it in quotes`);
    }
    return { kind: 'leaf', ...readPlainScalar(source), at };
  }

  #map(node: YAMLMap, at: Mark, depth: number): MapTree {
    this.#checkTag(node, at);
    const entries = new Map<string, Entry>();
    const own = new Set<string>();
    for (const pair of node.items) this.#pair(pair, { entries, own }, depth);
    return { kind: 'map', entries, at };
  }

  #pair(pair: Pair, { entries, own }: OpenMap, depth: number): void {
    const key = this.read(pair.key, depth + 1);
    const value = this.read(pair.value ?? undefined, depth + 1);
    if (key.kind !== 'leaf') {
      this.#problems.add('yaml-key', key.at, 'a key must be a text, not a list or a map');
      return;
    }
    if (key.value === '<<') {
      this.#merge(value, { entries, own }, key.at);
      return;
    }
    const name = isScalar(pair.key) && typeof key.value === 'boolean' ? String(pair.key.value) : key.text;
    if (own.has(name)) {
      this.#problems.add('duplicate-key', key.at, `the key ${name} stands twice; this last one counts`);
    }
    own.add(name);
    // A missing value has no place of its own: point at its key.
    const placed = isAbsent(pair.value) ? { ...value, at: key.at } : value;
    entries.set(name, { key: name, at: key.at, value: placed });
  }

  /** Psych merges at the place of the `<<`: keys above are replaced, keys below replace. */
  #merge(value: Tree, { entries, own }: OpenMap, at: Mark): void {
    const maps = value.kind === 'list' ? value.items : [value];
    const merged = new Map<string, Entry>();
    for (const map of maps.toReversed()) {
      if (map.kind !== 'map') {
        this.#problems.add('invalid-value', at, '<< takes an alias of a map, or a list of such aliases');
        continue;
      }
      this.#count(map.entries.size, at);
      for (const [key, entry] of map.entries) merged.set(key, entry);
    }
    for (const [key, entry] of merged) {
      if (own.has(key)) {
        const message = `the << here replaces the key ${key} written above it; move << to the top to keep your own`;
        this.#problems.add('merge-overrides', at, message);
      }
      entries.set(key, entry);
    }
  }

  #checkTag(node: Node, at: Mark): void {
    const { tag } = node as { tag?: string };
    if (tag === undefined || tag.startsWith(YAML_TAG)) return;
    this.#problems.add('yaml-tag', at, `the tag ${tag} means nothing here; only !reference does, on a list`);
  }

  #count(values: number, at: Mark): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) {
      throw new TooLarge(at, `unfolds to more than ${MAX_VALUES} values through its aliases`);
    }
  }

  #mark(node: unknown): Mark {
    const range = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
    return { source: this.#source, offset: range?.[0] ?? 0 };
  }
}

/** `key:` with nothing behind it. */
function isAbsent(node: unknown): boolean {
  if (!isScalar(node)) return node === null;
  return node.type === 'PLAIN' && node.range?.[0] === node.range?.[1];
}
