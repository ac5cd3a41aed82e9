import { ApiFault, badRequest } from '../status.ts';
import { canonicalQuantity } from './quantity.ts';
import { findDefinition } from './schema.ts';
import type { Definition, TypeRef } from './schema.ts';
import { canonicalTime } from './time.ts';

export interface Conformed {
  readonly object: Record<string, unknown>;
  /** Paths of members that the schema does not know, such as `spec.template.spec.foo`; they are not in `object`. */
  readonly unknownFields: readonly string[];
}

/** Schemas of large operators, described in a schema, are the deepest there are. */
const MAX_DEPTH = 200;
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const MICRO_TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
const INT32_LIMIT = 2 ** 31;

/**
 * The object as its definition sees it: unknown members out, nulls out (they mean "not given"), quantities in canonical
 * form. Members keep their order.
 * @throws Mistyped when a value has another type than the schema says
 */
export function conform(definition: string, value: unknown, kind: string): Conformed {
  const walk: Walk = { kind, unknown: [] };
  const object = conformRef(walk, definition, value, { path: '', field: '', owner: kind, depth: 0 });
  return { object: object as Record<string, unknown>, unknownFields: walk.unknown };
}

interface Walk {
  readonly kind: string;
  readonly unknown: string[];
}

interface Place {
  readonly path: string;
  /** The path without places in lists and keys of maps. */
  readonly field: string;
  /** The kind of object that has this field. */
  readonly owner: string;
  readonly depth: number;
}

function conformType(walk: Walk, type: TypeRef, value: unknown, place: Place): unknown {
  if (place.depth > MAX_DEPTH) throw badRequest(`${walk.kind}: nested too deeply at ${place.path}`);
  if (type.kind === 'scalar') return conformScalar(walk, type.scalar, value, place);
  if (type.kind === 'ref') return conformRef(walk, type.name, value, place);
  const inner = (key: string) => ({ ...place, path: `${place.path}${key}`, depth: place.depth + 1 });
  if (type.kind === 'list') {
    if (!Array.isArray(value)) throw mistyped(walk, value, place, type);
    return value.map((item, index) =>
      conformType(walk, type.of, item ?? nothing(type.of), inner(`[${index}]`)),
    );
  }
  if (!isRecord(value)) throw mistyped(walk, value, place, type);
  const entries = Object.entries(value).map(([key, member]) => [key, member ?? nothing(type.of)] as const);
  return Object.fromEntries(
    entries.map(([key, member]) => [key, conformType(walk, type.of, member, inner(`.${key}`))]),
  );
}

function conformRef(walk: Walk, name: string, value: unknown, place: Place): unknown {
  const definition = findDefinition(name);
  if (!definition) return value;
  if (definition.scalar !== undefined) return conformSpecial(walk, definition, value, place);
  if (!isRecord(value)) throw mistyped(walk, value, place, { kind: 'ref', name });
  const owner = shortName(name);
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const [path, field] = [place.path, place.field].map((at) => (at === '' ? key : `${at}.${key}`)) as [
      string,
      string,
    ];
    const property = definition.properties[key];
    if (!property) walk.unknown.push(path);
    else if (member !== null)
      result[key] = conformType(walk, property.type, member, { path, field, owner, depth: place.depth + 1 });
  }
  return result;
}

const QUANTITY_RULE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function conformSpecial(walk: Walk, definition: Definition, value: unknown, place: Place): unknown {
  if (definition.name === QUANTITY) {
    const quantity =
      typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : undefined;
    if (quantity === undefined) throw new Mistyped(walk.kind, QUANTITY_RULE);
    return quantity;
  }
  if (definition.scalar === 'object') return value;
  if (definition.scalar === 'int-or-string' && Number.isInteger(value)) return value;
  if (typeof value !== 'string') throw mistyped(walk, value, place, { kind: 'scalar', scalar: 's' });
  if (definition.scalar !== 'date-time') return value;
  const time = canonicalTime(value, definition.name === MICRO_TIME ? 'micros' : 'seconds');
  if (time === undefined)
    throw new Mistyped(walk.kind, `parsing time: ${place.path} is not as "2006-01-02T15:04:05Z07:00"`);
  return time;
}

/** What a null stands for that is an item of a list or an entry of a map, and so is given. */
function nothing(type: TypeRef): unknown {
  if (type.kind === 'list') return [];
  if (type.kind === 'map') return {};
  if (type.kind === 'scalar') return NOTHING[type.scalar];
  const scalar = findDefinition(type.name)?.scalar;
  if (type.name === QUANTITY || scalar === 'int-or-string') return 0;
  return scalar === 'string' ? '' : scalar === undefined ? {} : null;
}

const NOTHING = { s: '', y: '', i: 0, l: 0, b: false, d: 0, o: null };

type Scalar = Extract<TypeRef, { kind: 'scalar' }>['scalar'];

function conformScalar(walk: Walk, scalar: Scalar, value: unknown, place: Place): unknown {
  if (FITS[scalar](value)) return value;
  if (scalar === 'y' && typeof value === 'string')
    throw new Mistyped(walk.kind, `illegal base64 data in ${place.path}`);
  throw mistyped(walk, value, place, { kind: 'scalar', scalar });
}

const FITS: Readonly<Record<Scalar, (value: unknown) => boolean>> = {
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

/** A value of another type than its place has. */
export class Mistyped extends ApiFault {
  /** What is wrong, in the words of whoever puts a patched object together. */
  readonly restoring: string;

  constructor(kind: string, words: string, restoring: string = words) {
    super(400, 'BadRequest', `${kind} in version "v1" cannot be handled as a ${kind}: ${words}`);
    this.restoring = restoring;
  }
}

/** Says what stands there by its type alone: the value may be a secret. */
function mistyped(walk: Walk, value: unknown, place: Place, wanted: TypeRef): Mistyped {
  const at = place.field === '' ? 'Go value' : `Go struct field ${place.owner}.${place.field}`;
  const words = `json: cannot unmarshal ${jsonType(value)} into ${at} of type ${goType(wanted)}`;
  return new Mistyped(walk.kind, words, restoring(value, wanted));
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const GO_TYPES: Readonly<Record<Scalar, string>> = {
  s: 'string',
  y: '[]uint8',
  i: 'int32',
  l: 'int64',
  b: 'bool',
  d: 'float64',
  o: 'interface {}',
};

function goType(type: TypeRef): string {
  if (type.kind === 'scalar') return GO_TYPES[type.scalar];
  if (type.kind === 'list') return `[]${goType(type.of)}`;
  return type.kind === 'map' ? `map[string]${goType(type.of)}` : type.name.split('.').slice(-2).join('.');
}

const shortName = (definition: string): string => definition.split('.').at(-1) ?? '';

function restoring(value: unknown, wanted: TypeRef): string {
  const kind = goKind(value);
  if (wanted.kind === 'list') return `cannot restore slice from ${kind}`;
  if (wanted.kind === 'map') return `cannot restore map from ${kind}`;
  return wanted.kind === 'ref'
    ? `cannot restore struct from: ${kind}`
    : `cannot convert ${kind} to ${GO_TYPES[wanted.scalar]}`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return isRecord(value) ? 'map' : jsonType(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
