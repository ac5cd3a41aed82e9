import { isRecord } from '../schema/conform.ts';
import { definitionOf, findDefinition, plainProperty } from '../schema/schema.ts';
import type { Definition, Property } from '../schema/schema.ts';
import { indexOfStep } from './field-set.ts';

type Members = Record<string, unknown>;

/** What is applied laid over what is there: objects and keyed lists merge, all else is replaced. */
export function mergeApplied(live: unknown, applied: unknown, definition: string): unknown {
  return mergeRecords(live, applied, findDefinition(definition));
}

function mergeRecords(live: unknown, applied: unknown, definition: Definition | undefined): unknown {
  if (!isRecord(applied) || !isRecord(live)) return applied;
  const result: Members = { ...live };
  for (const [key, value] of Object.entries(applied)) {
    result[key] = mergeMember(live[key], value, definition?.properties[key]);
  }
  return result;
}

function mergeMember(live: unknown, applied: unknown, property: Property | undefined): unknown {
  if (!property || property.atomic) return applied;
  if (Array.isArray(applied) && Array.isArray(live)) {
    if (property.listKeys) return mergeKeyed(live, applied, property);
    if (property.isSet) {
      const present = new Set(live);
      return [...live, ...applied.filter((item) => !present.has(item))];
    }
    return applied;
  }
  if (property.type.kind === 'map') return mergeMaps(live, applied, plainProperty(property.type.of));
  const definition = definitionOf(property.type);
  return definition && !definition.atomic && definition.scalar === undefined
    ? mergeRecords(live, applied, definition)
    : applied;
}

function mergeMaps(live: unknown, applied: unknown, property: Property): unknown {
  if (!isRecord(applied) || !isRecord(live)) return applied;
  const merged = Object.entries(applied).map(([key, value]) => [
    key,
    mergeMember(live[key], value, property),
  ]);
  return { ...live, ...(Object.fromEntries(merged) as Members) };
}

/** In the order that was applied; what only the server has stays behind the neighbour it stood behind. */
function mergeKeyed(live: readonly unknown[], applied: readonly unknown[], property: Property): unknown[] {
  const definition = property.type.kind === 'list' ? definitionOf(property.type.of) : undefined;
  const placeOf = (list: readonly unknown[], item: unknown) => indexOfStep(list, stepOf(item, property));
  const result = applied.map((item) => mergeRecords(live[placeOf(live, item)], item, definition));
  for (const [index, item] of live.entries()) {
    if (placeOf(applied, item) >= 0) continue;
    const before = index === 0 ? -1 : placeOf(result, live[index - 1]);
    result.splice(before + 1, 0, item);
  }
  return result;
}

function stepOf(item: unknown, property: Property): string {
  const record = isRecord(item) ? item : {};
  const keys = (property.listKeys ?? []).map((key) => [
    key,
    record[key] ?? (key === 'protocol' ? 'TCP' : undefined),
  ]);
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}
