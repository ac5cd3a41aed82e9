import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { isText, plain } from './tree.ts';
import type { Entry, Leaf, MapTree, Tree } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

export interface Interpolation {
  readonly inputs: ReadonlyMap<string, Tree>;
  readonly problems: Problems;
  variable(name: string): string | undefined;
}

const BLOCK = /\$\[\[\s*([^]*?)\s*\]\]/g;
const WHOLE = /^\$\[\[\s*((?:(?!\]\])[^])*?)\s*\]\]$/;
const MAX_FUNCTIONS = 3;

/** Puts inputs in the place of `$[[ inputs.name | function ]]`, in values and in keys. */
export function interpolate(tree: Tree, context: Interpolation): Tree {
  switch (tree.kind) {
    case 'leaf':
      return isText(tree) ? interpolateLeaf(tree, context) : tree;
    case 'list':
      return { ...tree, items: tree.items.map((item) => interpolate(item, context)) };
    case 'map':
      return interpolateMap(tree, context);
    case 'reference':
      return { ...tree, path: tree.path.map((key) => interpolateText(key, tree, context)) };
  }
}

function interpolateMap(tree: MapTree, context: Interpolation): MapTree {
  const entries = new Map<string, Entry>();
  for (const entry of tree.entries.values()) {
    const key = interpolateText(entry.key, entry.value, context);
    entries.set(key, { ...entry, key, value: interpolate(entry.value, context) });
  }
  return { ...tree, entries };
}

function interpolateLeaf(tree: Leaf & { readonly value: string }, context: Interpolation): Tree {
  if (!tree.value.includes('$[[')) return tree;
  const whole = WHOLE.exec(tree.value)?.[1];
  if (whole === undefined) {
    const value = interpolateText(tree.value, tree, context);
    return { ...tree, value, text: value };
  }
  const value = block(whole, tree, context);
  return value ? { ...value, at: tree.at } : tree;
}

function interpolateText(text: string, place: Tree, context: Interpolation): string {
  if (!text.includes('$[[')) return text;
  return text.replaceAll(BLOCK, (written, inner: string) => {
    const value = block(inner, place, context);
    return value ? textOf(value) : written;
  });
}

const textOf = (tree: Tree): string => (tree.kind === 'leaf' ? tree.text : JSON.stringify(plain(tree)));

/** The value of `inputs.name | function | …`, or undefined after a report. */
function block(inner: string, place: Tree, context: Interpolation): Tree | undefined {
  const [access = '', ...functions] = inner.split('|').map((part) => part.trim());
  // Left for later: what a matrix or a component means is not known to the file.
  if (/^(?:matrix|component)\./.test(access)) return undefined;
  const name = /^inputs\.([\w-]+)$/.exec(access)?.[1];
  const value = name === undefined ? undefined : context.inputs.get(name);
  if (!value) {
    const suggestion = name === undefined ? undefined : nearest(name, context.inputs.keys());
    context.problems.add(
      'input-invalid',
      place.at,
      `$[[ ${inner} ]] names no input of this file`,
      suggestion,
    );
    return undefined;
  }
  if (functions.length > MAX_FUNCTIONS) {
    context.problems.add(
      'input-invalid',
      place.at,
      `$[[ ${inner} ]] has more than ${MAX_FUNCTIONS} functions`,
    );
    return undefined;
  }
  return functions.reduce<Tree | undefined>((result, call) => result && apply(call, result, context), value);
}

function apply(call: string, value: Tree, context: Interpolation): Tree | undefined {
  const text = textOf(value);
  const changed = callFunction(call, text, context);
  if (changed !== undefined) return { kind: 'leaf', value: changed, text: changed, at: value.at };
  const known = ['expand_vars', 'truncate', 'posix_escape'];
  context.problems.add('input-invalid', value.at, `${call} is no function for inputs`, nearest(call, known));
  return undefined;
}

function callFunction(call: string, text: string, context: Interpolation): string | undefined {
  if (call === 'expand_vars')
    return expandVariables(text, (name) => context.variable(name), { keepUndefined: true });
  if (call === 'posix_escape')
    return text === ''
      ? "''"
      : text.replaceAll(/[^\w@%+=:,./\n-]/g, String.raw`\$&`).replaceAll('\n', "'\n'");
  const cut = /^truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(call);
  return cut ? text.slice(Number(cut[1]), Number(cut[1]) + Number(cut[2])) : undefined;
}
