import { createHash } from 'node:crypto';
import { RESOURCES, apiVersionOf } from '../resources.ts';
import type { ServedResource } from '../resources.ts';
import { findDefinition } from './schema.ts';
import type { Definition, Property, TypeRef } from './schema.ts';

type Json = Record<string, unknown>;

const documents = new Map<string, string>();

/** `api/v1`, `apis/apps/v1` */
function pathOf(groupVersion: string): string {
  return groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;
}

/** `/openapi/v3`: where the documents are; the hash lets clients keep them. */
export function openApiIndex(): unknown {
  const versions = [...new Set(RESOURCES.map(apiVersionOf))];
  const paths = versions.map((version): [string, unknown] => {
    const hash = createHash('sha256')
      .update(openApiDocument(pathOf(version)) ?? '')
      .digest('hex')
      .toUpperCase();
    return [pathOf(version), { serverRelativeURL: `/openapi/v3/${pathOf(version)}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

/** The document of one group-version as JSON text; undefined: not served. @param path such as `apis/apps/v1` */
export function openApiDocument(path: string): string | undefined {
  const known = documents.get(path);
  if (known) return known;
  const types = RESOURCES.filter((type) => pathOf(apiVersionOf(type)) === path);
  if (types.length === 0) return undefined;
  const text = JSON.stringify({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths: Object.assign({}, ...types.map((type) => pathItems(path, type))) as Json,
    components: { schemas: schemas(types) },
  });
  documents.set(path, text);
  return text;
}

function pathItems(path: string, type: ServedResource): Json {
  const { group, version, kind } = type;
  const base = `/${path}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.plural}`;
  const operation = (action: string, writes: boolean): Json => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
    parameters: writes ? WRITE_PARAMETERS : [],
    responses: { 200: { description: 'OK' } },
  });
  return {
    [base]: { get: operation('list', false), post: operation('post', true) },
    [`${base}/{name}`]: {
      get: operation('get', false),
      put: operation('put', true),
      patch: operation('patch', true),
      delete: operation('delete', false),
    },
  };
}

/** Clients look for `fieldValidation` and `dryRun` here to learn that the server understands them. */
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}));

function schemas(types: readonly ServedResource[]): Json {
  const result: Json = {};
  const open = types.map((type) => type.definition);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const definition = name in result ? undefined : findDefinition(name);
    if (!definition) continue;
    result[name] = schemaOf(definition);
    for (const property of Object.values(definition.properties)) open.push(...refsOf(property.type));
  }
  for (const { definition, group, version, kind } of types) {
    const schema = result[definition] as Json;
    schema['x-kubernetes-group-version-kind'] = [{ group, version, kind }];
  }
  return result;
}

function refsOf(type: TypeRef): string[] {
  if (type.kind === 'ref') return [type.name];
  return type.kind === 'scalar' ? [] : refsOf(type.of);
}

function schemaOf(definition: Definition): Json {
  if (definition.scalar === 'object') return { type: 'object' };
  if (definition.scalar === 'int-or-string') {
    return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
  }
  if (definition.scalar !== undefined) {
    if (definition.name.endsWith('.Quantity')) return { oneOf: [{ type: 'string' }, { type: 'number' }] };
    return definition.scalar === 'string'
      ? { type: 'string' }
      : { type: 'string', format: definition.scalar };
  }
  const properties = Object.entries(definition.properties).map(([key, property]) => [
    key,
    propertySchema(property),
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as Json,
    ...(definition.required.length > 0 ? { required: definition.required } : {}),
    ...(definition.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
}

function propertySchema(property: Property): Json {
  const schema = typeSchema(property.type);
  if (property.type.kind === 'list') {
    const kind = property.listKeys ? 'map' : property.isSet ? 'set' : 'atomic';
    schema['x-kubernetes-list-type'] = kind;
    if (property.listKeys) schema['x-kubernetes-list-map-keys'] = property.listKeys;
  }
  if (property.mergeKey !== undefined) {
    schema['x-kubernetes-patch-strategy'] = property.retainKeys ? 'merge,retainKeys' : 'merge';
    if (property.mergeKey !== '') schema['x-kubernetes-patch-merge-key'] = property.mergeKey;
  }
  return schema;
}

const SCALARS: Readonly<Record<string, Json>> = {
  s: { type: 'string' },
  y: { type: 'string', format: 'byte' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  b: { type: 'boolean' },
  d: { type: 'number', format: 'double' },
  o: { type: 'object' },
};

function typeSchema(type: TypeRef): Json {
  switch (type.kind) {
    case 'scalar':
      return { ...SCALARS[type.scalar] };
    case 'ref':
      return { allOf: [{ $ref: `#/components/schemas/${type.name}` }] };
    case 'list':
      return { type: 'array', items: typeSchema(type.of) };
    default:
      return { type: 'object', additionalProperties: typeSchema(type.of) };
  }
}
