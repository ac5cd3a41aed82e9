import { conform, isRecord } from '../schema/conform.ts';
import { OBJECT_META } from '../schema/schema.ts';
import { isEmbedded, memberSchema, preservesUnknown } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

type Members = Record<string, unknown>;

/** What a whole object has besides what its schema says. */
const OBJECT_MEMBERS = ['apiVersion', 'kind', 'metadata'];

/**
 * The value without the members that its schema does not know.
 * @param unknown gets their paths
 */
export function prune(schema: JsonSchema, value: unknown, at: { path: string; unknown: string[] }): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return value.map((item, index) => prune(items, item, { ...at, path: `${at.path}[${index}]` }));
  }
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    const path = at.path === '' ? key : `${at.path}.${key}`;
    if (key === 'metadata' && isEmbedded(schema) && isRecord(member)) {
      const { object, unknownFields } = conform(OBJECT_META, member, 'ObjectMeta');
      at.unknown.push(...unknownFields.map((field) => `${path}.${field}`));
      return [[key, object]];
    }
    const inner = memberSchema(schema, key);
    if (inner) return [[key, prune(inner, member, { ...at, path })]];
    if (keepsUnknown(schema) || (isEmbedded(schema) && OBJECT_MEMBERS.includes(key))) return [[key, member]];
    at.unknown.push(path);
    return [];
  });
  return Object.fromEntries(entries);
}

function keepsUnknown(schema: JsonSchema): boolean {
  return preservesUnknown(schema) || schema.additionalProperties === true;
}

/** Sets, in place, what is not given and has a default. A null counts as not given where it is not allowed. */
export function applySchemaDefaults(schema: JsonSchema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applySchemaDefaults(schema.items, item);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, member] of Object.entries(schema.properties ?? {})) setDefault(value, key, member);
  for (const [key, member] of Object.entries(value)) {
    const inner = memberSchema(schema, key);
    if (inner) applySchemaDefaults(inner, member);
  }
}

function setDefault(owner: Members, key: string, schema: JsonSchema): void {
  if (schema.default === undefined) return;
  const present = Object.hasOwn(owner, key) ? owner[key] : undefined;
  if (present === undefined || (present === null && schema.nullable !== true)) {
    owner[key] = structuredClone(schema.default);
  }
}
