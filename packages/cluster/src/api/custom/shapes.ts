import { isRecord } from '../schema/conform.ts';
import type { Definition, Property, TypeRef } from '../schema/schema.ts';
import { OBJECT_META, plainProperty } from '../schema/schema.ts';
import { isIntOrString, preservesUnknown } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';

const TEXT: TypeRef = { kind: 'scalar', scalar: 's' };
const LEAF: TypeRef = { kind: 'scalar', scalar: 'o' };

/** What no schema describes: objects are owned member by member, lists as a whole. */
const UNDESCRIBED: { kind: 'map'; of: TypeRef } = { kind: 'map', of: LEAF };
UNDESCRIBED.of = UNDESCRIBED;

/** A structural schema as server-side apply needs it: which lists have keys, what is owned as a whole. */
export function shapesOf(name: string, schema: JsonSchema): Definition[] {
  const found: Definition[] = [];
  addShape(name, schema, found);
  const [root] = found;
  if (!root) return found;
  const members: Record<string, Property> = {
    apiVersion: plainProperty(TEXT),
    kind: plainProperty(TEXT),
    metadata: plainProperty({ kind: 'ref', name: OBJECT_META }),
  };
  return [
    { ...root, properties: Object.assign(Object.create(null), root.properties, members) },
    ...found.slice(1),
  ];
}

function addShape(name: string, schema: JsonSchema, found: Definition[]): void {
  const properties = Object.create(null) as Record<string, Property>;
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  found.push({ name, properties, required: [], atomic, scalar: undefined });
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    properties[key] = propertyOf(`${name}.${key}`, member, found);
  }
}

function propertyOf(name: string, schema: JsonSchema, found: Definition[]): Property {
  const plain = plainProperty(typeOf(name, schema, found));
  const keys = schema['x-kubernetes-list-map-keys'];
  const listType = schema['x-kubernetes-list-type'];
  return {
    ...plain,
    ...(listType === 'map' && keys ? { listKeys: keys } : {}),
    isSet: listType === 'set',
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
  };
}

function typeOf(name: string, schema: JsonSchema, found: Definition[]): TypeRef {
  if (isIntOrString(schema)) return LEAF;
  if (schema.type === 'array') return { kind: 'list', of: typeOf(`${name}[]`, schema.items ?? {}, found) };
  const isObject = schema.type === 'object' || preservesUnknown(schema);
  if (!isObject) return LEAF;
  if (schema.properties && !preservesUnknown(schema)) {
    addShape(name, schema, found);
    return { kind: 'ref', name };
  }
  const { additionalProperties } = schema;
  if (isRecord(additionalProperties))
    return { kind: 'map', of: typeOf(`${name}{}`, additionalProperties, found) };
  return UNDESCRIBED;
}
