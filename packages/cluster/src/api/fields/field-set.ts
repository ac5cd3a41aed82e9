import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../schema/conform.ts';
import { definitionOf, findDefinition, plainProperty } from '../schema/schema.ts';
import type { Definition, Property, TypeRef } from '../schema/schema.ts';

/** Steps to a field as FieldsV1 writes them: `f:name`, `k:{"name":"a"}`, `v:"x"`. */
export type FieldPath = readonly string[];

const SEPARATOR = '\u0000';

export const keyOfPath = (path: FieldPath): string => path.join(SEPARATOR);
export const pathOfKey = (key: string): FieldPath => key.split(SEPARATOR);

/** Paths, each as `keyOfPath` makes it. */
export type FieldSet = ReadonlySet<string>;

/** Written by the server or naming the object: nobody owns them. */
const NOT_OWNED = new Set([
  'f:apiVersion',
  'f:kind',
  ...[
    'creationTimestamp',
    'deletionGracePeriodSeconds',
    'deletionTimestamp',
    'generation',
    'managedFields',
    'name',
    'namespace',
    'resourceVersion',
    'selfLink',
    'uid',
  ].map((name) => keyOfPath(['f:metadata', `f:${name}`])),
]);

/** Every field that the object says something about: the leaves, and each item of a keyed list. */
export function fieldsOf(object: unknown, definition: string): Set<string> {
  const set = new Set<string>();
  const found = findDefinition(definition);
  collectRecord(object, found, { path: [], set });
  for (const key of NOT_OWNED) set.delete(key);
  return set;
}

interface Collecting {
  readonly path: FieldPath;
  readonly set: Set<string>;
}

function collectRecord(value: unknown, definition: Definition | undefined, at: Collecting): void {
  if (!isRecord(value)) return;
  for (const [name, member] of Object.entries(value)) {
    const property = definition?.properties[name];
    collectMember(member, property, { path: [...at.path, `f:${name}`], set: at.set });
  }
}

function collectMember(value: unknown, property: Property | undefined, at: Collecting): void {
  const shape = shapeOf(property);
  if (shape === 'keyed' && Array.isArray(value) && property) {
    for (const item of value) {
      const path = [...at.path, itemStep(item, property)];
      at.set.add(keyOfPath(path));
      collectRecord(item, definitionOf(itemType(property)), { path, set: at.set });
    }
  } else if (shape === 'set' && Array.isArray(value)) {
    for (const item of value) at.set.add(keyOfPath([...at.path, `v:${JSON.stringify(item)}`]));
  } else if (shape === 'granular' && isRecord(value) && Object.keys(value).length > 0) {
    collectMembers(value, property?.type, at);
  } else {
    at.set.add(keyOfPath(at.path));
  }
}

function collectMembers(value: Record<string, unknown>, type: TypeRef | undefined, at: Collecting): void {
  if (type?.kind !== 'map') return collectRecord(value, definitionOf(type), at);
  const property = plainProperty(type.of);
  for (const [name, member] of Object.entries(value)) {
    collectMember(member, property, { path: [...at.path, `f:${name}`], set: at.set });
  }
}

type Shape = 'leaf' | 'granular' | 'keyed' | 'set';

function shapeOf(property: Property | undefined): Shape {
  if (!property || property.atomic) return 'leaf';
  if (property.listKeys) return 'keyed';
  if (property.isSet) return 'set';
  if (property.type.kind === 'map') return 'granular';
  const definition = definitionOf(property.type);
  return definition && !definition.atomic && definition.scalar === undefined ? 'granular' : 'leaf';
}

function itemType(property: Property): TypeRef | undefined {
  return property.type.kind === 'list' ? property.type.of : undefined;
}

/** The one key that has a default: a port without a protocol is a TCP port. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

function itemStep(item: unknown, property: Property): string {
  const record = isRecord(item) ? item : {};
  const keys = (property.listKeys ?? []).map((key) => [key, record[key] ?? KEY_DEFAULTS[key]]);
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** What a write did to the fields. */
export interface Comparison {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** Fields of `after` that are new or differ from `before`, and those that are gone. */
export function compareFields(before: unknown, after: unknown, definition: string): Comparison {
  const former = fieldsOf(before, definition);
  const present = fieldsOf(after, definition);
  const changed = new Set<string>();
  for (const key of present) {
    const path = pathOfKey(key);
    if (!former.has(key) || isLeafChanged(before, after, path)) changed.add(key);
  }
  return { changed, removed: new Set([...former].filter((key) => !present.has(key))) };
}

/** An item of a keyed list is there or not; what is in it has paths of its own. */
function isLeafChanged(before: unknown, after: unknown, path: FieldPath): boolean {
  if (!path.at(-1)?.startsWith('f:')) return false;
  return !isDeepStrictEqual(valueAt(before, path), valueAt(after, path));
}

export function valueAt(object: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((at, step) => child(at, step), object);
}

function child(at: unknown, step: string): unknown {
  if (step.startsWith('f:')) return isRecord(at) ? at[step.slice(2)] : undefined;
  return Array.isArray(at) ? at[indexOfStep(at, step)] : undefined;
}

/** Where the item is that `k:` or `v:` names; -1 when it is not there. */
export function indexOfStep(list: readonly unknown[], step: string): number {
  const wanted = JSON.parse(step.slice(2)) as unknown;
  if (step.startsWith('v:')) return list.findIndex((item) => isDeepStrictEqual(item, wanted));
  const keys = Object.entries(wanted as Record<string, unknown>);
  return list.findIndex(
    (item) => isRecord(item) && keys.every(([key, value]) => (item[key] ?? KEY_DEFAULTS[key]) === value),
  );
}

/** Takes away what stands at each path; lists and objects that it leaves empty go as well when nobody needs them. */
export function withoutFields(object: unknown, keys: Iterable<string>): unknown {
  const result = structuredClone(object);
  const gone = new Set(keys);
  const paths = [...gone].map(pathOfKey).filter((path) => !isInside(path, gone) && !isItemKey(path));
  const holders = new Map<string, FieldPath>();
  for (const path of paths) {
    removeAt(result, path);
    holders.set(keyOfPath(path.slice(0, -1)), path.slice(0, -1));
  }
  // Once for each: looking whether something is empty takes as long as it is large.
  for (const holder of holders.values()) dropIfEmpty(result, holder);
  return result;
}

/** It goes with something around it. */
function isInside(path: FieldPath, gone: FieldSet): boolean {
  return path.some((_step, index) => index > 0 && gone.has(keyOfPath(path.slice(0, index))));
}

/** Without the members that tell it apart an item would be another one: they go with the whole item only. */
function isItemKey(path: FieldPath): boolean {
  const [item = '', member = ''] = path.slice(-2);
  return item.startsWith('k:') && Object.hasOwn(JSON.parse(item.slice(2)) as object, member.slice(2));
}

function removeAt(object: unknown, path: FieldPath): void {
  const parent = valueAt(object, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  if (Array.isArray(parent)) {
    const index = indexOfStep(parent, last);
    if (index >= 0) parent.splice(index, 1);
  } else if (isRecord(parent)) {
    delete parent[last.slice(2)];
  }
}

function dropIfEmpty(object: unknown, path: FieldPath): void {
  const holder = valueAt(object, path);
  const isEmpty = Array.isArray(holder)
    ? holder.length === 0
    : isRecord(holder) && Object.keys(holder).length === 0;
  if (!isEmpty || path.at(-1)?.startsWith('f:') !== true) return;
  removeAt(object, path);
  dropIfEmpty(object, path.slice(0, -1));
}

/** FieldsV1 as the API shows it. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  interface Tree {
    [step: string]: Tree;
  }
  const root: Tree = {};
  for (const key of [...set].toSorted()) {
    let at = root;
    for (const step of pathOfKey(key)) at = at[step] ??= {};
  }
  // A field that is owned itself and has owned fields below it is marked by a dot.
  for (const key of set) {
    const node = valueAtTree(root, pathOfKey(key));
    if (node && Object.keys(node).length > 0) node['.'] = {};
  }
  return root;
}

function valueAtTree(root: Record<string, unknown>, path: FieldPath): Record<string, unknown> | undefined {
  return path.reduce<Record<string, unknown> | undefined>(
    (at, step) => at?.[step] as Record<string, unknown> | undefined,
    root,
  );
}

/** The inverse of `toFieldsV1`. */
export function fromFieldsV1(tree: unknown): Set<string> {
  const set = new Set<string>();
  collectTree(tree, [], set);
  return set;
}

function collectTree(tree: unknown, path: FieldPath, set: Set<string>): void {
  if (!isRecord(tree)) return;
  const steps = Object.keys(tree);
  if (path.length > 0 && (steps.length === 0 || steps.includes('.'))) set.add(keyOfPath(path));
  for (const step of steps) if (isStep(step)) collectTree(tree[step], [...path, step], set);
}

/** What clients send as managedFields may hold anything. */
function isStep(text: string): boolean {
  if (text.startsWith('f:')) return true;
  if (!text.startsWith('k:') && !text.startsWith('v:')) return false;
  try {
    const value = JSON.parse(text.slice(2)) as unknown;
    return text.startsWith('v:') || isRecord(value);
  } catch {
    return false;
  }
}
