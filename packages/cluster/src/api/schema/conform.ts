import { badRequest } from '../status.ts';
import { canonicalQuantity } from './quantity.ts';
import { findDefinition } from './schema.ts';
import type { Definition, TypeRef } from './schema.ts';

export interface Conformed {
  readonly object: Record<string, unknown>;
  /** Paths of members that the schema does not know, such as `spec.template.spec.foo`; they are not in `object`. */
  readonly unknownFields: readonly string[];
}

/** Schemas of large operators, described in a schema, are the deepest there are. */
const MAX_DEPTH = 200;
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT32_LIMIT = 2 ** 31;

/**
 * The object as its definition sees it: unknown members out, nulls out (they mean "not given"), quantities in canonical
 * form. Members keep their order.
 * @throws ApiFault 400 when a value has another type than the schema says
 */
export function conform(definition: string, value: unknown, kind: string): Conformed {
  const walk: Walk = { kind, unknown: [] };
  const object = conformRef(walk, definition, value, { path: '', depth: 0 });
  return { object: object as Record<string, unknown>, unknownFields: walk.unknown };
}

interface Walk {
  readonly kind: string;
  readonly unknown: string[];
}

interface Place {
  readonly path: string;
  readonly depth: number;
}

function conformType(walk: Walk, type: TypeRef, value: unknown, place: Place): unknown {
  if (place.depth > MAX_DEPTH) throw badRequest(`${walk.kind}: nested too deeply at ${place.path}`);
  if (type.kind === 'scalar') return conformScalar(walk, type.scalar, value, place);
  if (type.kind === 'ref') return conformRef(walk, type.name, value, place);
  const inner = (key: string) => ({ path: `${place.path}${key}`, depth: place.depth + 1 });
  if (type.kind === 'list') {
    if (!Array.isArray(value)) throw mistyped(walk, value, place, 'a list');
    return value.map((item, index) => conformType(walk, type.of, item, inner(`[${index}]`)));
  }
  if (!isRecord(value)) throw mistyped(walk, value, place, 'a map');
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    entries.map(([key, member]) => [key, conformType(walk, type.of, member, inner(`.${key}`))]),
  );
}

function conformRef(walk: Walk, name: string, value: unknown, place: Place): unknown {
  const definition = findDefinition(name);
  if (!definition) return value;
  if (definition.scalar !== undefined) return conformSpecial(walk, definition, value, place);
  if (!isRecord(value)) throw mistyped(walk, value, place, 'an object');
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const property = definition.properties[key];
    if (!property) walk.unknown.push(path);
    else if (member !== null)
      result[key] = conformType(walk, property.type, member, { path, depth: place.depth + 1 });
  }
  return result;
}

function conformSpecial(walk: Walk, definition: Definition, value: unknown, place: Place): unknown {
  if (definition.name === QUANTITY) {
    const quantity =
      typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : undefined;
    if (quantity === undefined) throw mistyped(walk, value, place, 'a quantity');
    return quantity;
  }
  if (definition.scalar === 'object') return value;
  if (definition.scalar === 'int-or-string' && Number.isInteger(value)) return value;
  if (typeof value !== 'string') throw mistyped(walk, value, place, 'a string');
  if (definition.scalar === 'date-time' && Number.isNaN(Date.parse(value))) {
    throw mistyped(walk, value, place, 'a time');
  }
  return value;
}

const SCALAR_NAMES = {
  s: 'string',
  y: '[]byte',
  i: 'int32',
  l: 'int64',
  b: 'bool',
  d: 'float64',
  o: 'object',
};

function conformScalar(walk: Walk, scalar: keyof typeof SCALAR_NAMES, value: unknown, place: Place): unknown {
  if (!FITS[scalar](value)) throw mistyped(walk, value, place, SCALAR_NAMES[scalar]);
  return value;
}

const FITS: Readonly<Record<keyof typeof SCALAR_NAMES, (value: unknown) => boolean>> = {
  s: (value) => typeof value === 'string',
  y: (value) => typeof value === 'string' && isBase64(value),
  i: (value) => Number.isInteger(value) && Math.abs(value as number) <= INT32_LIMIT,
  l: (value) => Number.isInteger(value),
  b: (value) => typeof value === 'boolean',
  d: (value) => typeof value === 'number',
  o: () => true,
};

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/\r\n]*={0,2}$/.test(text);
}

/** Says what stands there by its type alone: the value may be a secret. */
function mistyped(walk: Walk, value: unknown, place: Place, wanted: string) {
  const given = value === null ? 'null' : Array.isArray(value) ? 'array' : jsonType(value, wanted);
  const where = place.path || 'the body';
  return badRequest(
    `${walk.kind} in version "v1" cannot be handled as a ${walk.kind}: json: cannot unmarshal ${given} into Go struct field ${walk.kind}.${where} of type ${wanted}`,
  );
}

function jsonType(value: unknown, wanted: string): string {
  if (wanted === '[]byte' && typeof value === 'string') return 'string that is no base64';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
