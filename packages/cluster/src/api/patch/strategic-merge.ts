import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../schema/conform.ts';
import { definitionOf, findDefinition } from '../schema/schema.ts';
import type { Definition, Property } from '../schema/schema.ts';
import { PatchProblem } from './json-patch.ts';

type Members = Record<string, unknown>;

const ORDER = '$setElementOrder/';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';

/**
 * Kubernetes' strategic merge: like a merge patch, but lists whose definition has a merge key are merged item by item,
 * and `$patch`, `$setElementOrder/x`, `$deleteFromPrimitiveList/x` and `$retainKeys` say what a plain merge cannot.
 * @param definition name of the target's definition
 * @throws PatchProblem
 */
export function applyStrategicMerge(target: unknown, patch: unknown, definition: string): unknown {
  if (!isRecord(patch)) throw new PatchProblem('a strategic merge patch is an object');
  return mergeObjects(isRecord(target) ? target : {}, patch, findDefinition(definition));
}

function mergeObjects(target: Members, patch: Members, definition: Definition | undefined): Members {
  const directive = patch['$patch'];
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchProblem(`unknown patch type: ${JSON.stringify(directive)}`);
  }
  const result: Members = { ...target };
  retainKeys(result, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_PRIMITIVES))
      deletePrimitives(result, key.slice(DELETE_PRIMITIVES.length), value);
    else if (!key.startsWith('$') && key !== '__proto__') {
      mergeMember(result, key, { patch, value, property: definition?.properties[key] });
    }
  }
  for (const [key, order] of Object.entries(patch)) {
    if (key.startsWith(ORDER)) reorder(result, key.slice(ORDER.length), { patch, order, definition });
  }
  return result;
}

interface MemberPatch {
  readonly patch: Members;
  readonly value: unknown;
  readonly property: Property | undefined;
}

function mergeMember(result: Members, key: string, member: MemberPatch): void {
  const { value } = member;
  if (value === null) delete result[key];
  else if (isRecord(value)) mergeRecord(result, key, { ...member, value });
  else if (Array.isArray(value)) result[key] = mergeArray(result[key], key, { ...member, value });
  else result[key] = value;
}

function mergeRecord(result: Members, key: string, member: MemberPatch & { readonly value: Members }): void {
  const { value, property } = member;
  const present = result[key];
  if (value['$patch'] === 'delete') delete result[key];
  else if (property?.replace) result[key] = withoutDirectives(value);
  else result[key] = mergeObjects(isRecord(present) ? present : {}, value, definitionOf(property?.type));
}

function mergeArray(
  present: unknown,
  key: string,
  member: MemberPatch & { readonly value: unknown[] },
): unknown[] {
  const { value, property } = member;
  if (property?.mergeKey === undefined) return value.map(cleaned);
  const order = member.patch[`${ORDER}${key}`];
  const list = Array.isArray(present) ? (present as unknown[]) : [];
  return mergeLists(list, value, {
    property,
    order: Array.isArray(order) ? (order as unknown[]) : undefined,
  });
}

interface ListMerge {
  readonly property: Property;
  readonly order: readonly unknown[] | undefined;
}

function mergeLists(target: readonly unknown[], patch: readonly unknown[], merge: ListMerge): unknown[] {
  const key = merge.property.mergeKey;
  if (patch.some((item) => isRecord(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !(isRecord(item) && item['$patch'] === 'replace')).map(cleaned);
  }
  const merged = key ? mergeByKey(target, patch, { ...merge, key }) : mergeSet(target, patch);
  return merge.order ? inOrder(merged, { order: merge.order, target, key }) : merged;
}

function mergeSet(target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const added = patch.filter((item) => !target.some((present) => isDeepStrictEqual(present, item)));
  return [...target, ...added];
}

function mergeByKey(
  target: readonly unknown[],
  patch: readonly unknown[],
  merge: ListMerge & { readonly key: string },
): unknown[] {
  const item = merge.property.type.kind === 'list' ? definitionOf(merge.property.type.of) : undefined;
  let result = [...target];
  for (const change of patch) {
    const value = keyOf(change, merge.key);
    if (!isRecord(change) || value === undefined) {
      throw new PatchProblem(`map: does not contain declared merge key: ${merge.key}`);
    }
    const place = result.findIndex((present) => keyOf(present, merge.key) === value);
    // Every item of that key goes: the target may hold it twice (a port over TCP and UDP).
    if (change['$patch'] === 'delete')
      result = result.filter((present) => keyOf(present, merge.key) !== value);
    else if (place < 0) result.push(cleaned(change));
    else result[place] = mergeObjects(result[place] as Members, change, item);
  }
  return result;
}

function keyOf(item: unknown, key: string): unknown {
  return isRecord(item) ? item[key] : undefined;
}

interface Ordering {
  readonly order: readonly unknown[];
  /** The list before the patch: what only the server has keeps its place relative to its neighbours there. */
  readonly target: readonly unknown[];
  readonly key: string | undefined;
}

function inOrder(merged: readonly unknown[], ordering: Ordering): unknown[] {
  const { key } = ordering;
  const identity = (item: unknown) => (key ? keyOf(item, key) : item);
  const wanted = ordering.order.map(identity);
  const placed = merged.filter((item) => wanted.includes(identity(item)));
  placed.sort((a, b) => wanted.indexOf(identity(a)) - wanted.indexOf(identity(b)));
  const former = ordering.target.map(identity);
  for (const item of merged.filter((candidate) => !wanted.includes(identity(candidate)))) {
    const rank = former.indexOf(identity(item));
    const at = placed.findIndex((other) => former.indexOf(identity(other)) > rank);
    placed.splice(at < 0 ? placed.length : at, 0, item);
  }
  return placed;
}

function reorder(
  result: Members,
  field: string,
  change: { readonly patch: Members; readonly order: unknown; readonly definition: Definition | undefined },
): void {
  const list = result[field];
  // Where the patch also lists items, merging them has set the order already.
  if (field in change.patch || !Array.isArray(list) || !Array.isArray(change.order)) return;
  const key = change.definition?.properties[field]?.mergeKey;
  result[field] = inOrder(list, { order: change.order, target: list, key });
}

function deletePrimitives(result: Members, field: string, values: unknown): void {
  const list = result[field];
  if (!Array.isArray(list) || !Array.isArray(values)) return;
  result[field] = list.filter((item) => !values.includes(item));
}

function retainKeys(result: Members, patch: Members): void {
  const keep = patch['$retainKeys'];
  if (!Array.isArray(keep)) return;
  for (const key of Object.keys(result)) if (!keep.includes(key)) delete result[key];
}

/** A value that is new: its directives and nulls have nothing to act on. */
function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  return isRecord(value) ? withoutDirectives(value) : value;
}

function withoutDirectives(value: Members): Members {
  const entries = Object.entries(value).filter(([key, member]) => !key.startsWith('$') && member !== null);
  return Object.fromEntries(entries.map(([key, member]) => [key, cleaned(member)]));
}
