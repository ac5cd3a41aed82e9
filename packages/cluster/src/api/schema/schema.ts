import { SCHEMA_TEXT } from './schema.table.ts';

/** Definition of what every object has as its metadata. */
export const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/**
 * Scalars: s string, y base64 bytes, i int32, l int64, b boolean, d double, o anything. `ref` names a definition.
 * In the table `[` is a list, `{` a map, `@` a reference.
 */
export type TypeRef =
  | { readonly kind: 'scalar'; readonly scalar: 's' | 'y' | 'i' | 'l' | 'b' | 'd' | 'o' }
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'list'; readonly of: TypeRef }
  | { readonly kind: 'map'; readonly of: TypeRef };

export interface Property {
  readonly type: TypeRef;
  /** Server-side apply: the items are objects told apart by these members. */
  readonly listKeys?: readonly string[];
  /** Server-side apply: the items are scalars, each there once. */
  readonly isSet: boolean;
  readonly atomic: boolean;
  /** Strategic merge: the member that tells items apart; '' for lists of scalars. */
  readonly mergeKey?: string;
  readonly retainKeys: boolean;
  readonly replace: boolean;
}

export interface Definition {
  readonly name: string;
  readonly properties: Readonly<Record<string, Property>>;
  readonly required: readonly string[];
  /** Server-side apply owns it as a whole. */
  readonly atomic: boolean;
  /** It has no properties: `string`, `date-time`, `int-or-string` or `object`. */
  readonly scalar: string | undefined;
}

interface RawDefinition {
  readonly properties: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly atomic?: boolean;
  readonly scalar?: string;
}

/** Undoes the shortening that the table's maker does. */
export function expandNames(text: string): string {
  return text.replaceAll('^', 'io.k8s.apimachinery.pkg.apis.meta.v1.').replaceAll('~', 'io.k8s.api.');
}

/** The lines of a table: definition's name -> its JSON, not yet parsed. */
export function tableLines(text: string): Map<string, string> {
  const lines = new Map<string, string>();
  for (const line of expandNames(text).split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) lines.set(line.slice(0, blank), line.slice(blank + 1));
  }
  return lines;
}

let lines: Map<string, string> | undefined;
const parsed = new Map<string, Definition>();

/** The definition of that name; undefined when the schema has none. Parsed when first asked for. */
export function findDefinition(name: string): Definition | undefined {
  const known = parsed.get(name);
  if (known) return known;
  lines ??= tableLines(SCHEMA_TEXT);
  const text = lines.get(name);
  if (text === undefined) return undefined;
  const definition = toDefinition(name, JSON.parse(text) as RawDefinition);
  parsed.set(name, definition);
  return definition;
}

/** The property's definition, when it is an object of a known shape. */
export function definitionOf(type: TypeRef | undefined): Definition | undefined {
  return type?.kind === 'ref' ? findDefinition(type.name) : undefined;
}

/**
 * Adds definitions that are not in the table. Their names must be unlike all others.
 * @returns takes them away again
 */
export function addDefinitions(definitions: readonly Definition[]): () => void {
  for (const definition of definitions) parsed.set(definition.name, definition);
  return () => {
    for (const { name } of definitions) parsed.delete(name);
  };
}

/** A property of which nothing but its type is known. */
export function plainProperty(type: TypeRef): Property {
  return { type, isSet: false, atomic: false, retainKeys: false, replace: false };
}

function toDefinition(name: string, raw: RawDefinition): Definition {
  // Without prototype: member names come from requests.
  const properties: Record<string, Property> = Object.create(null) as Record<string, Property>;
  for (const [key, text] of Object.entries(raw.properties)) properties[key] = toProperty(text);
  return { name, properties, required: raw.required ?? [], atomic: raw.atomic ?? false, scalar: raw.scalar };
}

function toProperty(text: string): Property {
  const [code = 's', ...words] = text.split(' ');
  const valueOf = (prefix: string) => words.find((word) => word.startsWith(prefix))?.slice(prefix.length);
  const keys = valueOf('keys=');
  const mergeKey = valueOf('merge=');
  return {
    type: parseType(code),
    ...(keys === undefined ? {} : { listKeys: keys.split('+') }),
    ...(mergeKey === undefined ? {} : { mergeKey }),
    isSet: words.includes('set'),
    atomic: words.includes('atomic'),
    retainKeys: words.includes('retainKeys'),
    replace: words.includes('replace'),
  };
}

/** @param code as it stands in a table, such as `[@io.k8s.api.core.v1.Container` */
export function parseType(code: string): TypeRef {
  if (code.startsWith('[')) return { kind: 'list', of: parseType(code.slice(1)) };
  if (code.startsWith('{')) return { kind: 'map', of: parseType(code.slice(1)) };
  if (code.startsWith('@')) return { kind: 'ref', name: code.slice(1) };
  return { kind: 'scalar', scalar: code as 's' };
}
