import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import type { ServedResource } from '../resources.ts';
import { apiVersionOf } from '../resources.ts';
import { ApiFault } from '../status.ts';
import { mergeApplied } from './apply.ts';
import { compareFields, fieldsOf, fromFieldsV1, pathOfKey, toFieldsV1, withoutFields } from './field-set.ts';
import type { Comparison, FieldPath, FieldSet } from './field-set.ts';
import { fieldsAppliedBefore, withLastApplied } from './last-applied.ts';

interface Entry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fields: ReadonlySet<string>;
}

/** Who writes, and when. */
export interface FieldWriter {
  readonly manager: string;
  readonly subresource?: string | undefined;
  /** RFC 3339. */
  readonly time: string;
}

function entriesOf(object: KubeObject | undefined): Entry[] {
  const raw = (object?.metadata.managedFields ?? []) as (Omit<Entry, 'fields'> & { fieldsV1?: unknown })[];
  return raw.map(({ fieldsV1, ...entry }) => ({ ...entry, fields: fromFieldsV1(fieldsV1) }));
}

function withEntries(object: KubeObject, entries: readonly Entry[]): KubeObject {
  const managedFields = entries
    .filter((entry) => entry.fields.size > 0)
    .map(({ fields, subresource, ...entry }) => ({
      apiVersion: entry.apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      manager: entry.manager,
      operation: entry.operation,
      ...(subresource ? { subresource } : {}),
      ...(entry.time ? { time: entry.time } : {}),
    }));
  const metadata = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, metadata: managedFields.length > 0 ? { ...metadata, managedFields } : metadata };
}

function isSame(entry: Entry, writer: FieldWriter, operation: Entry['operation']): boolean {
  const sameSubresource = (entry.subresource ?? '') === (writer.subresource ?? '');
  return entry.manager === writer.manager && entry.operation === operation && sameSubresource;
}

/**
 * The object with the fields that changed put down to its writer. When nothing changed the entries stay as they are,
 * times included.
 */
export function trackUpdate(
  type: ServedResource,
  writer: FieldWriter,
  write: { readonly before: KubeObject | undefined; readonly after: KubeObject },
): KubeObject {
  const { before, after } = write;
  const { changed, removed } = ownable(type, writer, compareFields(before, after, type.definition));
  const given = after.metadata.managedFields;
  if (given?.length === 0) return withEntries(after, []);
  if (before && changed.size === 0 && removed.size === 0) {
    const metadata = { ...after.metadata };
    const managedFields = given ?? before.metadata.managedFields;
    if (managedFields) metadata.managedFields = managedFields;
    return { ...after, metadata };
  }
  // Clients send back what they read, or set owners on purpose; those that leave them out mean "as they are".
  const former = entriesOf(given ? after : before);
  const mine = former.find((entry) => isSame(entry, writer, 'Update'));
  const others = former
    .filter((entry) => entry !== mine)
    .map((entry) => ({ ...entry, fields: without(without(entry.fields, changed), removed) }));
  const fields = new Set([...without(mine?.fields ?? new Set(), removed), ...changed]);
  return withEntries(after, [...others, entry(type, writer, { operation: 'Update', fields })]);
}

function entry(type: ServedResource, writer: FieldWriter, what: Pick<Entry, 'operation' | 'fields'>): Entry {
  const { manager, subresource, time } = writer;
  return { manager, apiVersion: apiVersionOf(type), time, ...(subresource ? { subresource } : {}), ...what };
}

/** The status is nobody's but those who write it through its own path. */
function ownable(type: ServedResource, writer: FieldWriter, comparison: Comparison): Comparison {
  if (writer.subresource === 'status' || !type.subresources.includes('status')) return comparison;
  return { changed: withoutStatus(comparison.changed), removed: withoutStatus(comparison.removed) };
}

function withoutStatus(set: FieldSet): Set<string> {
  return new Set([...set].filter((key) => pathOfKey(key)[0] !== 'f:status'));
}

function without(set: ReadonlySet<string>, gone: ReadonlySet<string>): Set<string> {
  return new Set([...set].filter((key) => !gone.has(key)));
}

export interface ApplyOptions {
  readonly writer: FieldWriter;
  readonly force: boolean;
  /** Done to the merged object before it is stored, such as defaulting. */
  readonly finish: (object: KubeObject) => KubeObject;
}

/**
 * Server-side apply: what is applied becomes the writer's; what it applied before and left out now goes, unless someone
 * else owns it too.
 * @throws ApiFault 409 when another manager owns a field with another value and `force` is not set
 */
export function applyFields(
  type: ServedResource,
  live: KubeObject | undefined,
  applied: KubeObject,
  options: ApplyOptions,
): KubeObject {
  const { writer } = options;
  const former = entriesOf(live);
  const mine = former.find((entry) => isSame(entry, writer, 'Apply'));
  const fields = fieldsOf(applied, type.definition);
  let others = former.filter((entry) => entry !== mine);
  const merged = live ? (mergeApplied(live, applied, type.definition) as KubeObject) : applied;
  const { changed } = compareFields(live, merged, type.definition);
  if (live) {
    const own = fieldsAppliedBefore(writer.manager, live, type.definition);
    const conflicts = others.flatMap((other) => conflictsWith(other, without(changed, own)));
    if (conflicts.length > 0 && !options.force) throw conflictFault(conflicts);
    others = others.map((entry) => ({ ...entry, fields: without(entry.fields, changed) }));
  }
  const kept = new Set([...fields, ...others.flatMap((entry) => [...entry.fields])]);
  const around = surroundings(kept);
  const abandoned = [...(mine?.fields ?? [])].filter((key) => !kept.has(key) && !around.has(key));
  const finished = options.finish(withoutFields(merged, abandoned) as KubeObject);
  const result = withLastApplied(writer.manager, finished, applied);
  const entries = [...others, entry(type, writer, { operation: 'Apply', fields })];
  return settle(live, withEntries(result, entries), mine);
}

/** When nothing but the time of the writer's entry is new, the stored entries stay. */
function settle(live: KubeObject | undefined, result: KubeObject, mine: Entry | undefined): KubeObject {
  if (!live || !mine) return result;
  return isDeepStrictEqual(timeless(JSON.parse(JSON.stringify(result)) as KubeObject), timeless(live))
    ? live
    : result;
}

function timeless(object: KubeObject): unknown {
  const entries = ((object.metadata.managedFields ?? []) as Record<string, unknown>[]).map((entry) => {
    const { time: _time, ...rest } = entry;
    return JSON.stringify(rest);
  });
  const metadata = {
    ...object.metadata,
    managedFields: entries.toSorted(),
    resourceVersion: '',
    generation: 0,
  };
  return { ...object, metadata };
}

/** All that something owned lies in: an item of a list stays while someone owns a field in it. */
function surroundings(owned: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const key of owned) {
    for (let end = key.lastIndexOf('\u0000'); end > 0; end = key.lastIndexOf('\u0000', end - 1)) {
      if (found.has(key.slice(0, end))) break;
      found.add(key.slice(0, end));
    }
  }
  return found;
}

interface Conflict {
  readonly entry: Entry;
  readonly path: FieldPath;
}

function conflictsWith(entry: Entry, changed: ReadonlySet<string>): Conflict[] {
  return [...entry.fields].filter((key) => changed.has(key)).map((key) => ({ entry, path: pathOfKey(key) }));
}

function conflictFault(conflicts: readonly Conflict[]): ApiFault {
  const causes = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(entry)}`,
    field: dotted(path),
  }));
  const count = `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  const managers = new Map<string, string[]>();
  for (const cause of causes)
    managers.set(cause.message, [...(managers.get(cause.message) ?? []), cause.field]);
  const words = [...managers].map(([who, fields]) =>
    fields.length === 1
      ? `${who}: ${fields[0]}`
      : `${who.replace('conflict ', 'conflicts ')}:\n- ${fields.join('\n- ')}`,
  );
  return new ApiFault(409, 'Conflict', `${count}: ${words.join('\n')}`, { causes });
}

function describe(entry: Entry): string {
  const subresource = entry.subresource ? ` with subresource "${entry.subresource}"` : '';
  const using = entry.operation === 'Update' ? ` using ${entry.apiVersion}` : '';
  return `${JSON.stringify(entry.manager)}${subresource}${using}`;
}

/** `.spec.template.spec.containers[name="app"].image` */
function dotted(path: FieldPath): string {
  return path
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      if (step.startsWith('v:')) return `[=${step.slice(2)}]`;
      const keys = Object.entries(JSON.parse(step.slice(2)) as Record<string, unknown>);
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
