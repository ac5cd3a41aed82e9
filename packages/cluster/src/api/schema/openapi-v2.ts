import type { Catalog } from '../catalog.ts';
import { apiVersionOf } from '../resources.ts';
import { openApiDocument, pathOf } from './openapi.ts';

type Json = Record<string, unknown>;

const documents = new WeakMap<Catalog, string>();

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
