import type { Catalog } from '../catalog.ts';
import { apiVersionOf } from '../resources.ts';
import { openApiDocument, pathOf } from './openapi.ts';

type Json = Record<string, unknown>;

const documents = new WeakMap<Catalog, string>();

/** What kubectl asks for: for documents of kind List it takes nothing else. */
export const SWAGGER_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** A field of a protobuf message: its number, and a content of less than 128 characters of ASCII. */
const field = (number: number, content: string) =>
  String.fromCharCode(number * 8 + 2, content.length) + content;

/**
 * An OpenAPI v2 document (gnostic's `Document`: 1 swagger, 2 info, 8 paths) that defines nothing: clients then check nothing
 * themselves and leave it to the server, which does.
 */
export const EMPTY_SWAGGER =
  field(1, '2.0') + field(2, field(1, 'Kubernetes') + field(2, 'v1')) + field(8, '');

/** `/openapi/v2`: the same schemas in one Swagger document, for clients that know no other. As JSON text. */
export function swaggerDocument(catalog: Catalog): string {
  const known = documents.get(catalog);
  if (known !== undefined) return known;
  const versions = [...new Set(catalog.all.map(apiVersionOf))];
  const parts = versions.map(
    (version) => JSON.parse(openApiDocument(catalog, pathOf(version)) ?? '{}') as V3,
  );
  const text = JSON.stringify({
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths: Object.assign({}, ...parts.map(({ paths }) => converted(paths))) as Json,
    definitions: Object.assign({}, ...parts.map(({ components }) => converted(components.schemas))) as Json,
  });
  documents.set(catalog, text);
  return text;
}

interface V3 {
  readonly paths: Json;
  readonly components: { readonly schemas: Json };
}

/** Swagger has references in another place, knows no `oneOf`, and puts the type of a parameter beside its name. */
function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  const { allOf, oneOf, nullable: _nullable, ...rest } = value as Json;
  const only = Array.isArray(allOf) && allOf.length === 1 ? (allOf[0] as Json) : undefined;
  if (typeof only?.['$ref'] === 'string')
    return { $ref: only['$ref'].replace('#/components/schemas/', '#/definitions/') };
  const entries = Object.entries(rest).map(([key, member]) => [key, converted(member)] as const);
  const plain: Json = Object.fromEntries(entries);
  if (typeof plain['in'] === 'string' && typeof plain['schema'] === 'object') {
    const { schema, ...parameter } = plain;
    return { ...parameter, ...(schema as Json) };
  }
  // Text or number: clients take such a value as they find it.
  if (oneOf !== undefined && plain['type'] === undefined) return { ...plain, type: 'string' };
  return plain;
}
