import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import { nodesOf } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { applySchemaDefaults } from './shape-value.ts';

const hasDefaults = new WeakMap<JsonSchema, boolean>();
/** What is stored never changes in place: an object is looked through once for each schema. */
const shown = new WeakMap<KubeObject, { readonly schema: JsonSchema; readonly whole: KubeObject }>();

/** A stored object with the defaults that its schema has got since it was written. */
export function withDefaults(schema: JsonSchema, object: KubeObject): KubeObject {
  let some = hasDefaults.get(schema);
  if (some === undefined) {
    some = [...nodesOf(schema)].some(({ node }) => node.default !== undefined);
    hasDefaults.set(schema, some);
  }
  if (!some) return object;
  const known = shown.get(object);
  if (known?.schema === schema) return known.whole;
  const copy = structuredClone(object);
  applySchemaDefaults(schema, copy);
  const whole = isDeepStrictEqual(copy, object) ? object : copy;
  shown.set(object, { schema, whole });
  return whole;
}
