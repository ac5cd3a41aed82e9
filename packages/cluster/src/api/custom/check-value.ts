import { isDeepStrictEqual } from 'node:util';
import { Problems } from '../admission/problems.ts';
import { isRecord } from '../schema/conform.ts';
import { fitsFormat } from './formats.ts';
import { isEmbedded, isIntOrString, memberSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { matchesPattern } from './pattern.ts';

/** Holds a value against its schema, in Kubernetes' words. @param path of the value, '' for the whole object */
export function checkValue(schema: JsonSchema, value: unknown, path: string, problems: Problems): void {
  if (value === null && schema.nullable === true) return;
  if (!checkType(schema, value, path, problems)) return;
  if (schema.enum && !schema.enum.some((each) => isDeepStrictEqual(each, value))) {
    problems.notSupported(path, value, schema.enum as readonly string[]);
  }
  if (typeof value === 'string') checkText(schema, value, path, problems);
  else if (typeof value === 'number') checkNumber(schema, value, path, problems);
  else if (Array.isArray(value)) checkList(schema, value, path, problems);
  else if (isRecord(value)) checkMembers(schema, value, path, problems);
  checkJunctors(schema, value, path, problems);
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  array: Array.isArray,
  object: isRecord,
};

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const place = (path: string) => (path === '' ? '' : `${path} in body `);

function checkType(schema: JsonSchema, value: unknown, path: string, problems: Problems): boolean {
  const given = typeName(value);
  if (isIntOrString(schema)) {
    if (Number.isInteger(value) || typeof value === 'string') return true;
    problems.invalid(path, given, `${place(path)}must be of type integer,string: ${JSON.stringify(given)}`);
    return false;
  }
  const fits = schema.type === undefined ? undefined : TYPES[schema.type];
  if (!fits || fits(value)) return true;
  problems.invalid(path, given, `${place(path)}must be of type ${schema.type}: ${JSON.stringify(given)}`);
  return false;
}

function checkText(schema: JsonSchema, value: string, path: string, problems: Problems): void {
  const { minLength, maxLength, pattern, format } = schema;
  const length = Array.from(value).length;
  if (maxLength !== undefined && length > maxLength) problems.tooLong(path, maxLength);
  if (minLength !== undefined && length < minLength)
    problems.invalid(path, value, `${place(path)}should be at least ${minLength} chars long`);
  if (pattern !== undefined && !matchesPattern(pattern, value))
    problems.invalid(path, value, `${place(path)}should match '${pattern}'`);
  if (format !== undefined && !fitsFormat(format, value))
    problems.invalid(path, value, `${place(path)}must be of type ${format}: ${JSON.stringify(value)}`);
}

function checkNumber(schema: JsonSchema, value: number, path: string, problems: Problems): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const must = (holds: boolean, why: string) => {
    if (!holds) problems.invalid(path, value, `${place(path)}should be ${why}`);
  };
  if (minimum !== undefined) {
    if (exclusiveMinimum) must(value > minimum, `greater than ${minimum}`);
    else must(value >= minimum, `greater than or equal to ${minimum}`);
  }
  if (maximum !== undefined) {
    if (exclusiveMaximum) must(value < maximum, `less than ${maximum}`);
    else must(value <= maximum, `less than or equal to ${maximum}`);
  }
  if (multipleOf !== undefined) must(Number.isInteger(value / multipleOf), `a multiple of ${multipleOf}`);
}

function checkList(schema: JsonSchema, value: readonly unknown[], path: string, problems: Problems): void {
  const { minItems, maxItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) problems.tooMany(path, value.length, maxItems);
  if (minItems !== undefined && value.length < minItems)
    problems.invalid(path, value.length, `${place(path)}should have at least ${minItems} items`);
  checkUnique(schema, value, path, problems);
  if (!items) return;
  for (const [index, item] of value.entries()) checkValue(items, item, `${path}[${index}]`, problems);
}

/** Items of sets, and keys of lists that are maps, are there once. */
function checkUnique(schema: JsonSchema, value: readonly unknown[], path: string, problems: Problems): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const identity = type === 'set' ? item : keysOf(item, keys, schema.items);
    const text = JSON.stringify(identity);
    if (seen.has(text)) problems.duplicate(`${path}[${index}]`, identity);
    seen.add(text);
  }
}

function keysOf(item: unknown, keys: readonly string[], schema: JsonSchema | undefined): unknown {
  const record = isRecord(item) ? item : {};
  return Object.fromEntries(keys.map((key) => [key, record[key] ?? schema?.properties?.[key]?.default]));
}

function checkMembers(
  schema: JsonSchema,
  value: Record<string, unknown>,
  path: string,
  problems: Problems,
): void {
  const inner = (key: string) => (path === '' ? key : `${path}.${key}`);
  const absent = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key));
  for (const key of absent) problems.required(inner(key));
  checkCount(schema, Object.keys(value).length, path, problems);
  if (isEmbedded(schema)) checkEmbedded(value, inner, problems);
  for (const [key, member] of Object.entries(value)) {
    const known = memberSchema(schema, key);
    if (known) checkValue(known, member, inner(key), problems);
  }
}

function checkEmbedded(
  value: Record<string, unknown>,
  inner: (key: string) => string,
  problems: Problems,
): void {
  const absent = ['apiVersion', 'kind'].filter((key) => typeof value[key] !== 'string' || value[key] === '');
  for (const key of absent) problems.required(inner(key), 'must not be empty');
}

function checkCount(schema: JsonSchema, count: number, path: string, problems: Problems): void {
  const { minProperties, maxProperties } = schema;
  if (maxProperties !== undefined && count > maxProperties) problems.tooMany(path, count, maxProperties);
  if (minProperties !== undefined && count < minProperties)
    problems.invalid(path, count, `${place(path)}should have at least ${minProperties} properties`);
}

function checkJunctors(schema: JsonSchema, value: unknown, path: string, problems: Problems): void {
  const fits = (each: JsonSchema) => {
    const found = new Problems();
    checkValue(each, value, path, found);
    return found.list.length === 0;
  };
  for (const each of schema.allOf ?? []) checkValue(each, value, path, problems);
  const refuse = (why: string) => problems.invalid(path, value, `${JSON.stringify(path)} ${why}`);
  if (schema.anyOf && !schema.anyOf.some(fits)) refuse('must validate at least one schema (anyOf)');
  if (schema.not && fits(schema.not)) refuse('must not validate the schema (not)');
  const valid = schema.oneOf?.filter(fits).length ?? 1;
  if (valid === 1) return;
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
  refuse(`must validate one and only one schema (oneOf). ${found}`);
}
