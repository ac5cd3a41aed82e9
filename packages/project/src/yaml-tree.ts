import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';

/** A value of a settings file: every scalar is text, as it is written. */
export interface Value {
  readonly line: number;
  readonly text?: string;
  readonly entries?: readonly Entry[];
  readonly items?: readonly Value[];
}

export interface Entry {
  readonly key: string;
  readonly line: number;
  readonly value: Value;
}

/** Reads text as a value; what is no YAML is told instead. Undefined: there is nothing in it. */
export function parseYaml(text: string, wrong: (line: number, what: string) => void): Value | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, logLevel: 'silent' });
  for (const error of document.errors) {
    wrong(lines.linePos(error.pos[0]).line, error.message.split(/ at line |\n/, 1)[0] ?? 'no YAML');
  }
  if (document.errors.length > 0 || document.contents === null) return undefined;
  return read(document.contents, { document, lines, depth: 0 });
}

/** A variable's value may be in a map, in a list, in a section, under a project. */
const MAX_DEPTH = 8;

interface Reading {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly depth: number;
}

function read(found: Node | null, reading: Reading): Value {
  const { document, lines, depth } = reading;
  const line = found?.range ? lines.linePos(found.range[0]).line : 1;
  const node = isAlias(found) ? found.resolve(document) : found;
  const inner = { ...reading, depth: depth + 1 };
  if (depth >= MAX_DEPTH) return { line };
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.map(({ key, value }) => ({
      key: isScalar(key) ? textOf(key.value) : '',
      line: key.range ? lines.linePos(key.range[0]).line : line,
      value: read(value, inner),
    }));
    return { line, entries };
  }
  if (isSeq<Node>(node)) return { line, items: node.items.map((item) => read(item, inner)) };
  return { line, text: isScalar(node) ? textOf(node.value) : '' };
}

/** By the failsafe schema scalars are text or null. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
