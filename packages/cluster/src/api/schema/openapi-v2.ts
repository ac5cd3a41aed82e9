import type { Catalog } from '../catalog.ts';
import { apiVersionOf } from '../resources.ts';
import { encodeSwagger } from './openapi-v2-protobuf.ts';
import { openApiDocument, pathOf } from './openapi.ts';

type Json = Record<string, unknown>;

const documents = new WeakMap<Catalog, { readonly json: string; protobuf?: Buffer }>();

/** The form kubectl asks for: before 1.27 for every schema, since then for documents of kind List alone. */
export const SWAGGER_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** `/openapi/v2`: the same schemas in one Swagger document, for clients that know no other. As JSON text. */
export const swaggerDocument = (catalog: Catalog): string => documentOf(catalog).json;

/** The same document as protobuf. */
export function swaggerProtobuf(catalog: Catalog): Buffer {
  const document = documentOf(catalog);
  return (document.protobuf ??= encodeSwagger(JSON.parse(document.json)));
}

function documentOf(catalog: Catalog): { readonly json: string; protobuf?: Buffer } {
  const known = documents.get(catalog);
  if (known !== undefined) return known;
  const versions = [...new Set(catalog.all.map(apiVersionOf))];
  const parts = versions.map(
    (version) => JSON.parse(openApiDocument(catalog, pathOf(version)) ?? '{}') as V3,
  );
  const json = JSON.stringify({
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths: Object.assign(
      {},
      ...parts.map(({ paths }) => mapped(paths, (item) => mapped(item, swaggerOperation))),
    ) as Json,
    definitions: Object.assign(
      {},
      ...parts.map(({ components }) => mapped(components.schemas, swaggerDefinition)),
    ) as Json,
  });
  const document = { json };
  documents.set(catalog, document);
  return document;
}

interface V3 {
  readonly paths: Json;
  readonly components: { readonly schemas: Json };
}

const mapped = (members: unknown, change: (value: Json) => unknown): Json =>
  Object.fromEntries(Object.entries(members as Json).map(([key, value]) => [key, change(value as Json)]));

const ANY_MEMBER = 'x-kubernetes-preserve-unknown-fields';
const LEFT_OUT = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable']);
/** What clients must not hold against a value that may be something else as well. */
const SHAPE = new Set(['type', 'properties', 'items', 'additionalProperties', 'required']);

/**
 * Swagger has references in another place and knows neither alternatives nor `nullable`: a value that may be null, or of
 * any type, is described by nothing at all, so that clients leave it to the server.
 */
function swaggerSchema(schema: Json): Json {
  const [only] = Array.isArray(schema['allOf']) && schema['allOf'].length === 1 ? schema['allOf'] : [];
  const reference = (only as Json | undefined)?.['$ref'];
  if (typeof reference === 'string') {
    const { allOf: _allOf, ...extensions } = schema;
    return { $ref: reference.replace('#/components/schemas/', '#/definitions/'), ...extensions };
  }
  const isOpen = ['nullable', 'x-kubernetes-int-or-string', ANY_MEMBER].some((key) => schema[key] === true);
  const kept = Object.entries(schema).filter(([key]) => !(LEFT_OUT.has(key) || (isOpen && SHAPE.has(key))));
  const result: Json = Object.fromEntries(kept.map(([key, value]) => [key, swaggerMember(key, value)]));
  // Text or number: clients take such a value as they find it.
  const isEither = schema['oneOf'] !== undefined && result['type'] === undefined;
  return isEither ? { ...result, type: 'string' } : result;
}

function swaggerMember(key: string, value: unknown): unknown {
  if (key === 'properties') return mapped(value, swaggerSchema);
  const holdsSchema = key === 'items' || (key === 'additionalProperties' && typeof value === 'object');
  return holdsSchema ? swaggerSchema(value as Json) : value;
}

const KIND = 'x-kubernetes-group-version-kind';

/** A kind whose objects may have any member is still an object, of which nothing else is told. */
function swaggerDefinition(schema: Json): Json {
  return schema[ANY_MEMBER] === true ? { type: 'object', [KIND]: schema[KIND] } : swaggerSchema(schema);
}

/** The type of a parameter stands beside its name. */
function swaggerOperation(operation: Json): Json {
  const parameters = (operation['parameters'] as readonly Json[]).map(({ schema, ...rest }) => ({
    ...rest,
    ...(schema as Json),
  }));
  return { ...operation, parameters };
}
