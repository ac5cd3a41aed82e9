import { nearest } from '../suggest.ts';
import { isText, plain } from '../tree.ts';
import type { Entry, MapTree, Tree } from '../tree.ts';
import { compileRegex } from '../expression/regex.ts';
import { variableValue } from './common.ts';
import { anything, listOf, mapOf, notNull, oneOf, record, refuse, report, text } from './readers.ts';
import type { Reader, Scope } from './readers.ts';
import { INPUT_TYPES, fitsType } from './spec.ts';

const fields = record(
  {
    type: oneOf(...INPUT_TYPES),
    default: notNull(anything),
    description: text,
    options: listOf(variableValue),
    regex: text,
  },
  { required: ['default'] },
);

/** The default, which is the value until a job can be started with another. */
const input: Reader<Tree> = (tree, scope) => {
  const read = fields(tree, scope);
  const value = read?.default;
  if (!value) return undefined;
  const inner = { ...scope, keyword: `${scope.keyword}:default` };
  const type = read.type ?? 'string';
  if (!fitsType(value, type)) return refuse(inner, value, `of type ${type}`);
  if (value.kind !== 'leaf') return value;
  if (read.options && !read.options.includes(value.text))
    return refuse(inner, value, `one of ${read.options.join(', ')}`);
  const regex = read.regex === undefined ? undefined : compileRegex(read.regex);
  if (typeof regex === 'string')
    return report(scope, 'invalid-regex', tree.at, `${scope.keyword}:regex: ${regex}`);
  return regex && !regex.occursIn(value.text) ? refuse(inner, value, `a match of ${read.regex}`) : value;
};

const MAX_INPUTS = 50;

export const jobInputs: Reader<ReadonlyMap<string, Tree>> = (tree, scope) => {
  const read = mapOf(input)(tree, scope);
  if (!read || read.size <= MAX_INPUTS) return read;
  const message = `inputs has ${read.size} entries, at most ${MAX_INPUTS} are allowed`;
  return report(scope, 'invalid-value', tree.at, message);
};

/** Keywords whose texts may mention inputs: those that the runner expands. */
const PLACES = ['script', 'before_script', 'after_script', 'artifacts', 'cache', 'image', 'services', 'run'];

/** Puts the inputs' defaults in the place of `${{ job.inputs.x }}`. */
export function withJobInputs(job: MapTree, inputs: ReadonlyMap<string, Tree>, scope: Scope): MapTree {
  const entries = new Map(job.entries);
  for (const key of PLACES) {
    const entry = entries.get(key);
    if (entry) entries.set(key, { ...entry, value: filled(entry.value, inputs, scope) });
  }
  return { ...job, entries };
}

function filled(tree: Tree, inputs: ReadonlyMap<string, Tree>, scope: Scope): Tree {
  if (isText(tree)) {
    const value = filledText(tree.value, tree, { inputs, scope });
    return value === tree.value ? tree : { ...tree, value, text: value };
  }
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item) => filled(item, inputs, scope)) };
  if (tree.kind !== 'map') return tree;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of tree.entries) {
    entries.set(key, { ...entry, value: filled(entry.value, inputs, scope) });
  }
  return { ...tree, entries };
}

const MENTION = /\$\{\{\s*job\.inputs\.([\w-]+)\s*\}\}/g;

function filledText(
  written: string,
  place: Tree,
  { inputs, scope }: { readonly inputs: ReadonlyMap<string, Tree>; readonly scope: Scope },
): string {
  if (!written.includes('${{')) return written;
  return written.replaceAll(MENTION, (mention, name: string) => {
    const value = inputs.get(name);
    if (value) return value.kind === 'leaf' ? value.text : JSON.stringify(plain(value));
    const message = `${scope.subject}: ${mention} names no input of this job`;
    scope.problems.add('input-invalid', place.at, message, () => nearest(name, inputs.keys()));
    return mention;
  });
}
