import type { Entry, Mark, SourceFile, Tree } from '../tree.ts';
import { looksLikeDate, readPlainScalar } from './scalar.ts';

/**
 * Reads the YAML that pipelines are mostly written in, several times faster than the complete reader. Gives
 * undefined for anything unusual (several documents, folded texts, lists over several lines, …) and for anything
 * that could be a mistake: then the complete reader looks, and reports. What it does read, it reads the same; a test
 * holds the two against each other.
 */
export function readSimpleYaml(source: SourceFile): Tree | undefined {
  if (UNUSUAL.test(source.text)) return undefined;
  try {
    return new SimpleReader(source).read();
  } catch (error) {
    if (error instanceof Unusual) return undefined;
    throw error;
  }
}

/** Tabs, carriage returns and other control characters, byte order marks, directives, document markers. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNUSUAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u2028\u2029\ufeff\ud800-\udfff]|^(?:%|---|\.\.\.)/m;

class Unusual extends Error {}

function unusual(): never {
  throw new Unusual();
}

interface Line {
  readonly start: number;
  readonly end: number;
  readonly indent: number;
  /** Empty, or a comment alone. */
  readonly skipped: boolean;
}

const MAX_DEPTH = 90;
const MAX_VALUES = 400_000;

/** A plain text may not begin with one of these; `-`, `?` and `:` only before a space. */
const INDICATOR = /[,[\]{}#&*!|>'"%@`]|[-?:](?:\s|$)/y;
const COMMENT_OR_END = /[ ]*(?:$|[ ]#.*$)/my;
const ANCHOR = /&([\w.-]+)(?=\s)[ ]*/y;
const ALIAS = /\*([\w.-]+)(?=[\s,\]}])/y;
const DOUBLE = /"((?:[^"\\\n]|\\["\\/nt])*)"/y;
const SINGLE = /'((?:[^'\n]|'')*)'/y;
const FLOW_PLAIN = /[^\s,[\]{}#&*!|>'"%@`?:-](?:[^,[\]{}#'":\n]|:(?=[^\s,[\]{}]))*/y;
const COLON = /:(?=[ ]|$)/my;
const BLOCK_HEADER = /([|>])([-+]?)[ ]*$/my;

class SimpleReader {
  readonly #source: SourceFile;
  readonly #text: string;
  readonly #lines: readonly Line[];
  readonly #anchors = new Map<string, { readonly tree: Tree; readonly weight: number }>();
  #line = 0;
  #depth = 0;
  #values = 0;

  constructor(source: SourceFile) {
    this.#source = source;
    this.#text = source.text;
    this.#lines = linesOf(source.text);
  }

  read(): Tree | undefined {
    this.#skip();
    const first = this.#lines[this.#line];
    if (!first) return undefined;
    const tree = this.#block(first.indent);
    return this.#line < this.#lines.length ? unusual() : tree;
  }

  #skip(): Line | undefined {
    while (this.#lines[this.#line]?.skipped) this.#line += 1;
    return this.#lines[this.#line];
  }

  #next(): Line | undefined {
    this.#line += 1;
    return this.#skip();
  }

  /** A map or a list that begins in the current line at this column. */
  #block(column: number): Tree {
    const line = this.#lines[this.#line] ?? unusual();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) unusual();
    const tree = this.#isDash(line.start + column) ? this.#list(column) : this.#map(column);
    this.#depth -= 1;
    return tree;
  }

  #isDash(offset: number): boolean {
    return this.#text[offset] === '-' && /^[ \n]?$/.test(this.#text[offset + 1] ?? '');
  }

  #list(column: number): Tree {
    const at = this.#mark(this.#current().start + column);
    const items: Tree[] = [];
    for (;;) {
      const line = this.#current();
      const offset = this.#skipSpaces(line.start + column + 1);
      items.push(
        this.#isBlockStart(offset, line)
          ? this.#block(offset - line.start)
          : this.#value(offset, column, 'item'),
      );
      const next = this.#skip();
      if (!next || next.indent < column) break;
      if (next.indent > column) unusual();
      if (!this.#isDash(next.start + column)) break;
    }
    return this.#made({ kind: 'list', items, at });
  }

  #map(column: number): Tree {
    const at = this.#mark(this.#current().start + column);
    const entries = new Map<string, Entry>();
    for (;;) {
      const line = this.#current();
      const keyAt = line.start + column;
      const { key, end } = this.#key(keyAt, line);
      const value = this.#value(this.#skipSpaces(end), column, 'entry');
      this.#put(entries, { key, at: this.#mark(keyAt), value });
      const next = this.#skip();
      if (!next || next.indent < column) break;
      if (next.indent > column || this.#isDash(next.start + column)) unusual();
    }
    return this.#made({ kind: 'map', entries, at });
  }

  #put(entries: Map<string, Entry>, entry: Entry): void {
    // Merges and doubled keys may be worth a word to the user.
    if (entry.key === '<<' || entries.has(entry.key)) unusual();
    const isEmpty = entry.value.at.offset === -1;
    entries.set(entry.key, isEmpty ? { ...entry, value: { ...entry.value, at: entry.at } } : entry);
  }

  #key(offset: number, line: Line): { readonly key: string; readonly end: number } {
    const end = this.#keyEnd(offset, line);
    if (end === -1) unusual();
    const written = this.#text.slice(offset, end).trimEnd();
    this.#values += 1;
    const quoted = /^["']/.test(written);
    if (quoted) return { key: this.#quoted(offset, end).text, end: end + 1 };
    const { value, text } = readPlainScalar(written);
    if (value === null || looksLikeDate(written)) unusual();
    return { key: typeof value === 'boolean' ? written : text, end: end + 1 };
  }

  /** Where the colon of a key stands, or -1 when the text at the offset is no key. */
  #keyEnd(offset: number, line: Line): number {
    const quote = this.#text[offset];
    if (quote === '"' || quote === "'") {
      const closed = this.#match(quote === '"' ? DOUBLE : SINGLE, offset);
      return closed && this.#match(COLON, offset + closed[0].length) ? offset + closed[0].length : -1;
    }
    if (this.#match(INDICATOR, offset)) return -1;
    const content = this.#text.slice(offset, line.end);
    const found = /:(?= |$)/.exec(content);
    const comment = content.indexOf(' #');
    return found && (comment === -1 || comment > found.index) ? offset + found.index : -1;
  }

  #isBlockStart(offset: number, line: Line): boolean {
    return offset < line.end && (this.#isDash(offset) || this.#keyEnd(offset, line) !== -1);
  }

  /** What stands behind `key:` or `-`, here or in the lines below. */
  #value(offset: number, column: number, place: 'item' | 'entry'): Tree {
    const anchor = this.#match(ANCHOR, offset);
    if (!anchor) return this.#bareValue(offset, column, place);
    const before = this.#values;
    const from = offset + anchor[0].length;
    const tree = this.#bareValue(from, column, place);
    if (tree.at.offset === -1) unusual();
    this.#anchors.set(anchor[1] ?? '', { tree, weight: this.#values - before });
    return tree;
  }

  #bareValue(offset: number, column: number, place: 'item' | 'entry'): Tree {
    const line = this.#current();
    if (offset >= line.end || this.#text[offset] === '#') return this.#below(offset, column, place);
    const header = this.#match(BLOCK_HEADER, offset);
    if (header) return this.#blockText(offset, column, header);
    if (this.#isBlockStart(offset, line)) unusual();
    const { tree, end } = this.#inline(offset, line);
    if (!this.#match(COMMENT_OR_END, end)) unusual();
    const next = this.#next();
    // A deeper line would go on with a plain text.
    if (next && next.indent > column) unusual();
    return tree;
  }

  #below(offset: number, column: number, place: 'item' | 'entry'): Tree {
    if (this.#text[offset] === '#' && this.#text[offset - 1] !== ' ') unusual();
    const next = this.#next();
    if (next && next.indent > column) {
      const starts = this.#isBlockStart(next.start + next.indent, next);
      return starts ? this.#block(next.indent) : unusual();
    }
    if (next && place === 'entry' && next.indent === column && this.#isDash(next.start + column)) {
      return this.#block(column);
    }
    return place === 'entry'
      ? this.#made({ kind: 'leaf', value: null, text: '', at: this.#mark(-1) })
      : unusual();
  }

  /** A value that ends in its line. */
  #inline(offset: number, line: Line): { readonly tree: Tree; readonly end: number } {
    const first = this.#text[offset];
    if (first === '"' || first === "'") return this.#quotedLeaf(offset);
    if (first === '[' || first === '{') return this.#flow(offset);
    if (first === '*') return this.#alias(offset);
    if (first === '!') return this.#reference(offset);
    if (this.#match(INDICATOR, offset)) unusual();
    const content = this.#text.slice(offset, line.end);
    const comment = content.indexOf(' #');
    const written = (comment === -1 ? content : content.slice(0, comment)).trimEnd();
    if (/:(?: |$)/.test(written)) unusual();
    return { tree: this.#plain(written, offset), end: offset + written.length };
  }

  #plain(written: string, offset: number): Tree {
    if (looksLikeDate(written)) unusual();
    return this.#made({ kind: 'leaf', ...readPlainScalar(written), at: this.#mark(offset) });
  }

  #quotedLeaf(offset: number): { readonly tree: Tree; readonly end: number } {
    const { text, end } = this.#quoted(offset);
    return { tree: this.#made({ kind: 'leaf', value: text, text, at: this.#mark(offset) }), end };
  }

  #quoted(offset: number, limit?: number): { readonly text: string; readonly end: number } {
    const isDouble = this.#text[offset] === '"';
    const found = this.#match(isDouble ? DOUBLE : SINGLE, offset) ?? unusual();
    const end = offset + found[0].length;
    if (limit !== undefined && end !== limit) unusual();
    const inner = found[1] ?? '';
    return { text: isDouble ? (JSON.parse(found[0]) as string) : inner.replaceAll("''", "'"), end };
  }

  #alias(offset: number): { readonly tree: Tree; readonly end: number } {
    const found = this.#match(ALIAS, offset) ?? unusual();
    const anchored = this.#anchors.get(found[1] ?? '') ?? unusual();
    this.#values += anchored.weight;
    return { tree: anchored.tree, end: offset + found[0].length };
  }

  #reference(offset: number): { readonly tree: Tree; readonly end: number } {
    if (!this.#text.startsWith('!reference [', offset)) unusual();
    const { tree, end } = this.#flow(offset + '!reference '.length);
    const path =
      tree.kind === 'list' ? tree.items.map((item) => (item.kind === 'leaf' ? item.text : '')) : [];
    if (path.length === 0 || path.includes('')) unusual();
    return { tree: { kind: 'reference', path, at: this.#mark(offset) }, end };
  }

  #flow(offset: number): { readonly tree: Tree; readonly end: number } {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) unusual();
    const result = this.#text[offset] === '[' ? this.#flowList(offset) : this.#flowMap(offset);
    this.#depth -= 1;
    return result;
  }

  #flowList(offset: number): { readonly tree: Tree; readonly end: number } {
    const items: Tree[] = [];
    let at = this.#skipSpaces(offset + 1);
    while (this.#text[at] !== ']') {
      const { tree, end } = this.#flowValue(at);
      items.push(tree);
      at = this.#separator(end, ']');
    }
    return { tree: this.#made({ kind: 'list', items, at: this.#mark(offset) }), end: at + 1 };
  }

  #flowMap(offset: number): { readonly tree: Tree; readonly end: number } {
    const entries = new Map<string, Entry>();
    let at = this.#skipSpaces(offset + 1);
    while (this.#text[at] !== '}') {
      const key = this.#flowValue(at);
      if (key.tree.kind !== 'leaf' || typeof key.tree.value !== 'string' || entries.has(key.tree.value))
        unusual();
      if (!this.#text.startsWith(': ', key.end) || key.tree.value === '<<') unusual();
      const { tree, end } = this.#flowValue(this.#skipSpaces(key.end + 1));
      entries.set(key.tree.value, { key: key.tree.value, at: key.tree.at, value: tree });
      at = this.#separator(end, '}');
    }
    return { tree: this.#made({ kind: 'map', entries, at: this.#mark(offset) }), end: at + 1 };
  }

  /** Behind a value: where the next one begins, or the end of the collection. */
  #separator(offset: number, close: string): number {
    const at = this.#skipSpaces(offset);
    if (this.#text[at] === close) return at;
    if (this.#text[at] !== ',') unusual();
    return this.#skipSpaces(at + 1);
  }

  #flowValue(offset: number): { readonly tree: Tree; readonly end: number } {
    const first = this.#text[offset];
    if (first === '"' || first === "'") return this.#quotedLeaf(offset);
    if (first === '[' || first === '{') return this.#flow(offset);
    if (first === '*') return this.#alias(offset);
    if (first === '!') return this.#reference(offset);
    const found = this.#match(FLOW_PLAIN, offset) ?? unusual();
    const written = found[0].trimEnd();
    return { tree: this.#plain(written, offset), end: offset + written.length };
  }

  /** `|`: the lines below as they are. `>`: joined, unless blank or deeper lines make it complicated. */
  #blockText(offset: number, column: number, [, style, chomping = '']: RegExpExecArray): Tree {
    const first = this.#lines[this.#line + 1] ?? unusual();
    const indent = first.indent;
    // Empty lines at the beginning decide about mistakes: rare enough to be left to the complete reader.
    if (indent <= column || first.start + indent === first.end) unusual();
    const lines: string[] = [];
    for (this.#line += 1; this.#line < this.#lines.length; this.#line += 1) {
      const line = this.#current();
      const isBlank = line.start + line.indent === line.end;
      if (!isBlank && line.indent < indent) break;
      if (style === '>' && (isBlank || line.indent > indent)) unusual();
      lines.push(this.#text.slice(Math.min(line.start + indent, line.end), line.end));
    }
    this.#skip();
    const text = chomp(lines.join(style === '>' ? ' ' : '\n'), chomping);
    return this.#made({ kind: 'leaf', value: text, text, at: this.#mark(offset) });
  }

  #current(): Line {
    return this.#lines[this.#line] ?? unusual();
  }

  #skipSpaces(offset: number): number {
    let at = offset;
    while (this.#text[at] === ' ') at += 1;
    return at;
  }

  #match(pattern: RegExp, offset: number): RegExpExecArray | null {
    pattern.lastIndex = offset;
    return pattern.exec(this.#text);
  }

  #made<T extends Tree>(tree: T): T {
    this.#values += 1;
    if (this.#values > MAX_VALUES) unusual();
    return tree;
  }

  #mark(offset: number): Mark {
    return { source: this.#source, offset };
  }
}

function chomp(text: string, chomping: string): string {
  if (chomping === '+') return unusual();
  const trimmed = text.replace(/\n+$/, '');
  return chomping === '-' || trimmed === '' ? trimmed : `${trimmed}\n`;
}

function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    let indent = 0;
    while (start + indent < end && text[start + indent] === ' ') indent += 1;
    const skipped = start + indent === end || text[start + indent] === '#';
    lines.push({ start, end, indent, skipped });
    start = end + 1;
  }
  return lines;
}
