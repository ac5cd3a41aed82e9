import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { isText, plain } from './tree.ts';
import type { Entry, Leaf, MapTree, Tree } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

export interface Interpolation {
  readonly inputs: ReadonlyMap<string, Tree>;
  /** Names of the header; what is wrong with one that has no value was reported with it. */
  readonly declared: ReadonlySet<string>;
  /** What `$[[ component.x ]]` means; only what the header asks for. */
  readonly component: ReadonlyMap<string, string>;
  readonly problems: Problems;
  variable(name: string): string | undefined;
  isMasked(name: string): boolean;
}

const OPEN = '$[[';
const CLOSE = ']]';
const MAX_FUNCTIONS = 3;
/** GitLab's limit on one text with a block in it. */
const MAX_TEXT = 1024 * 1024;
/** All texts of a file together: a small file must not become a large one. */
const MAX_TOTAL = 16 * MAX_TEXT;

/** Puts inputs in the place of `$[[ inputs.name | function ]]`, in values and in keys. */
export function interpolate(tree: Tree, context: Interpolation): Tree {
  return new Interpolator(context).tree(tree);
}

class Interpolator {
  readonly #context: Interpolation;
  #total = 0;

  constructor(context: Interpolation) {
    this.#context = context;
  }

  tree(tree: Tree): Tree {
    switch (tree.kind) {
      case 'leaf':
        return isText(tree) && tree.value.includes(OPEN) ? this.#leaf(tree) : tree;
      case 'list':
        return { ...tree, items: tree.items.map((item) => this.tree(item)) };
      case 'map':
        return this.#map(tree);
      case 'reference':
        return { ...tree, path: tree.path.map((key) => this.#text(key, tree)) };
    }
  }

  #map(tree: MapTree): MapTree {
    const entries = new Map<string, Entry>();
    for (const entry of tree.entries.values()) {
      const key = this.#text(entry.key, entry.value);
      entries.set(key, { ...entry, key, value: this.tree(entry.value) });
    }
    return { ...tree, entries };
  }

  #leaf(tree: Leaf & { readonly value: string }): Tree {
    const { value } = tree;
    const isWhole = value.startsWith(OPEN) && value.indexOf(CLOSE) === value.length - CLOSE.length;
    if (!isWhole) {
      const text = this.#text(value, tree);
      return { ...tree, value: text, text };
    }
    const found = this.#block(value.slice(OPEN.length, -CLOSE.length).trim(), tree);
    return found ? { ...found, at: tree.at } : tree;
  }

  /** By searching, not by a pattern: many unclosed blocks must not make it slow. */
  #text(text: string, place: Tree): string {
    const parts: string[] = [];
    let from = 0;
    let length = 0;
    while (this.#total <= MAX_TOTAL) {
      const start = text.indexOf(OPEN, from);
      const end = start === -1 ? -1 : text.indexOf(CLOSE, start);
      if (end === -1) break;
      const value = this.#block(text.slice(start + OPEN.length, end).trim(), place);
      const next = end + CLOSE.length;
      const replaced = value ? textOf(value) : text.slice(start, next);
      parts.push(text.slice(from, start), replaced);
      length += start - from + replaced.length;
      from = next;
      if (this.#isTooLong(length, replaced.length, place)) return text;
    }
    return parts.length === 0 ? text : parts.join('') + text.slice(from);
  }

  #isTooLong(length: number, added: number, place: Tree): boolean {
    this.#total += added;
    if (length <= MAX_TEXT && this.#total <= MAX_TOTAL) return false;
    const message =
      length > MAX_TEXT
        ? 'a text grows beyond 1 MiB by its inputs'
        : 'the file grows beyond 16 MiB by its inputs';
    this.#context.problems.add('input-invalid', place.at, message);
    return true;
  }

  /** The value of `inputs.name | function | …`, or undefined after a report. */
  #block(inner: string, place: Tree): Tree | undefined {
    const { problems } = this.#context;
    const [access = '', ...functions] = inner.split('|').map((part) => part.trim());
    // Left for later: what a matrix means is not known to the file.
    if (access.startsWith('matrix.')) return undefined;
    const value = this.#value(access, inner, place);
    if (!value) return undefined;
    if (functions.length > MAX_FUNCTIONS) {
      const message = `$[[ ${shorten(inner)} ]] has more than ${MAX_FUNCTIONS} functions`;
      problems.add('input-invalid', place.at, message);
      return undefined;
    }
    return functions.reduce<Tree | undefined>(
      (result, call) => result && this.#apply(call, result, place),
      value,
    );
  }

  #value(access: string, inner: string, place: Tree): Tree | undefined {
    const { inputs, declared, component, problems } = this.#context;
    const [, kind, name = ''] = /^(inputs|component)\.([^.]+)$/.exec(access) ?? [];
    const about = kind === 'component' ? component.get(name) : undefined;
    if (about !== undefined) return { kind: 'leaf', value: about, text: about, at: place.at };
    const value = kind === 'inputs' ? inputs.get(name) : undefined;
    if (value || (kind === 'inputs' && declared.has(name))) return value;
    const message =
      kind === 'component'
        ? `$[[ ${shorten(inner)} ]]: list ${name} in spec:component, and include the file as a component`
        : `$[[ ${shorten(inner)} ]] names no input of this file`;
    const suggestion = kind === 'inputs' ? () => nearest(name, declared) : undefined;
    problems.add('input-invalid', place.at, message, suggestion);
    return undefined;
  }

  #apply(call: string, value: Tree, place: Tree): Tree | undefined {
    const changed = this.#call(call, textOf(value), place);
    if (changed !== undefined) return { kind: 'leaf', value: changed, text: changed, at: place.at };
    const known = ['expand_vars', 'truncate', 'posix_escape'];
    const message = `${shorten(call)} is no function for inputs`;
    this.#context.problems.add('input-invalid', place.at, message, () => nearest(call, known));
    return undefined;
  }

  #call(call: string, text: string, place: Tree): string | undefined {
    if (call === 'expand_vars') return this.#expandVars(text, place);
    if (call === 'posix_escape') return escapeForShell(text);
    const cut = /^truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(call);
    return cut ? text.slice(Number(cut[1]), Number(cut[1]) + Number(cut[2])) : undefined;
  }

  #expandVars(text: string, place: Tree): string {
    const { problems, variable, isMasked } = this.#context;
    const look = (name: string): string | undefined => {
      if (!isMasked(name)) return variable(name);
      problems.add('input-invalid', place.at, `expand_vars may not show the masked variable ${name}`);
      return undefined;
    };
    return expandVariables(text, look, { keepUndefined: true });
  }
}

const textOf = (tree: Tree): string => (tree.kind === 'leaf' ? tree.text : JSON.stringify(plain(tree)));

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text);

/** As Ruby's Shellwords does it. */
function escapeForShell(text: string): string {
  if (text === '') return "''";
  return text.replaceAll(/[^\w.,:+/@\n-]/gu, String.raw`\$&`).replaceAll('\n', "'\n'");
}
