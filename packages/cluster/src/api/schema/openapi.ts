import { createHash } from 'node:crypto';
import type { Catalog } from '../catalog.ts';
import { apiVersionOf } from '../resources.ts';
import type { CustomType } from '../custom/custom-type.ts';
import type { ServedResource } from '../resources.ts';
import { META_DESCRIPTIONS, OBJECT_DESCRIPTIONS } from './descriptions.table.ts';
import { OBJECT_META, findDefinition } from './schema.ts';
import type { Definition, Property, TypeRef } from './schema.ts';

type Json = Record<string, unknown>;

/** Documents of what is built in never change; those with custom resources go with their catalog. */
const lasting = new Map<string, string>();
const passing = new WeakMap<Catalog, Map<string, string>>();

/** `api/v1`, `apis/apps/v1` */
export function pathOf(groupVersion: string): string {
  return groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;
}

/** `/openapi/v3`: where the documents are; the hash lets clients keep them. */
export function openApiIndex(catalog: Catalog): unknown {
  const versions = [...new Set(catalog.all.map(apiVersionOf))];
  const paths = versions.map((version): [string, unknown] => {
    const hash = createHash('sha256')
      .update(openApiDocument(catalog, pathOf(version)) ?? '')
      .digest('hex')
      .toUpperCase();
    return [pathOf(version), { serverRelativeURL: `/openapi/v3/${pathOf(version)}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

/** The document of one group-version as JSON text; undefined: not served. @param path such as `apis/apps/v1` */
export function openApiDocument(catalog: Catalog, path: string): string | undefined {
  const types = catalog.all.filter((type) => pathOf(apiVersionOf(type)) === path);
  if (types.length === 0) return undefined;
  const documents = types.some(({ custom }) => custom) ? documentsOf(catalog) : lasting;
  const known = documents.get(path);
  if (known) return known;
  const text = JSON.stringify({
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths: Object.assign({}, ...types.map((type) => pathItems(path, type))) as Json,
    components: { schemas: schemas(types) },
  });
  documents.set(path, text);
  return text;
}

function documentsOf(catalog: Catalog): Map<string, string> {
  const known = passing.get(catalog) ?? new Map<string, string>();
  passing.set(catalog, known);
  return known;
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
  const open = types.filter(({ custom }) => !custom).map((type) => type.definition);
  if (types.some(({ custom }) => custom)) open.push(OBJECT_META);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const definition = name in result ? undefined : findDefinition(name);
    if (!definition) continue;
    result[name] = schemaOf(definition);
    for (const property of Object.values(definition.properties)) open.push(...refsOf(property.type));
  }
  for (const type of types) {
    const { group, version, kind } = type;
    const schema = type.custom ? customSchema(type.custom) : (result[type.definition] as Json);
    if (type.custom) result[customName(type)] = schema;
    schema['x-kubernetes-group-version-kind'] = [{ group, version, kind }];
  }
  return result;
}

/** `com.example.v1.Shirt` */
function customName({ group, version, kind }: ServedResource): string {
  return [...group.split('.').toReversed(), version, kind].join('.');
}

function customSchema({ schema }: CustomType): Json {
  const members = {
    apiVersion: { type: 'string', description: OBJECT_DESCRIPTIONS.apiVersion },
    kind: { type: 'string', description: OBJECT_DESCRIPTIONS.kind },
    metadata: {
      allOf: [{ $ref: `#/components/schemas/${OBJECT_META}` }],
      description: OBJECT_DESCRIPTIONS.metadata,
    },
  };
  return { ...schema, properties: { ...schema.properties, ...members } };
}

function refsOf(type: TypeRef): string[] {
  if (type.kind === 'ref') return [type.name];
  return type.kind === 'scalar' ? [] : refsOf(type.of);
}

function descriptionsOf({ name, properties }: Definition): Readonly<Record<string, string>> {
  if (name === OBJECT_META) return META_DESCRIPTIONS;
  return properties['kind'] && properties['metadata'] ? OBJECT_DESCRIPTIONS : {};
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
  const words = descriptionsOf(definition);
  const properties = Object.entries(definition.properties).map(([key, property]) => [
    key,
    { ...propertySchema(property), ...(words[key] === undefined ? {} : { description: words[key] }) },
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
  const strategies = [
    ...(property.mergeKey === undefined ? [] : ['merge']),
    ...(property.retainKeys ? ['retainKeys'] : []),
    ...(property.replace ? ['replace'] : []),
  ];
  // By these clients work out their patches.
  if (strategies.length > 0) schema['x-kubernetes-patch-strategy'] = strategies.join(',');
  if (property.mergeKey) schema['x-kubernetes-patch-merge-key'] = property.mergeKey;
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
