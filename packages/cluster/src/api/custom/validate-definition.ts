import { messageOf } from '@updraft/kit';
import type { KubeObject } from '../../store/types.ts';
import { isLabel, isLabel1035, isSubdomain } from '../admission/problems.ts';
import type { Problems } from '../admission/problems.ts';
import { checkValue } from './check-value.ts';
import { specOf } from './definition.ts';
import type { DefinitionSpec, DefinitionVersion } from './definition.ts';
import { parseJsonPath } from './json-path.ts';
import { isIntOrString, nodesOf, preservesUnknown } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { compilePattern } from './pattern.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'map', 'set'];

/** What a CustomResourceDefinition must be, in Kubernetes' words. */
export function validateDefinition(definition: KubeObject, problems: Problems): void {
  const spec = specOf(definition);
  validateNames(definition, spec, problems);
  const { versions } = spec;
  const storage = versions.filter(({ storage }) => storage);
  if (storage.length !== 1)
    problems.invalid(
      'spec.versions',
      versions.map(({ name }) => name),
      'must have exactly one version marked as storage version',
    );
  const names = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const field = `spec.versions[${index}]`;
    const why = isLabel1035(version.name ?? '');
    if (why) problems.invalid(`${field}.name`, version.name, why);
    if (names.has(version.name)) problems.duplicate(`${field}.name`, version.name);
    names.add(version.name);
    validateVersion(version, field, problems);
  }
}

function validateNames(definition: KubeObject, spec: DefinitionSpec, problems: Problems): void {
  const { group, names, scope } = spec;
  const { plural, kind } = names;
  const groupProblem = isSubdomain(group);
  if (group === '') problems.required('spec.group');
  else if (groupProblem) problems.invalid('spec.group', group, groupProblem);
  else if (!group.includes('.'))
    problems.invalid('spec.group', group, 'should be a domain with at least one dot');
  if (!scope) problems.required('spec.scope');
  else problems.oneOf('spec.scope', scope, SCOPES);
  for (const [field, name] of [
    ['plural', plural],
    ['kind', kind.toLowerCase()],
  ] as const) {
    const why = isLabel(name);
    if (name === '') problems.required(`spec.names.${field}`);
    else if (why) problems.invalid(`spec.names.${field}`, name, why);
  }
  const wanted = `${plural}.${group}`;
  if (definition.metadata.name !== wanted)
    problems.invalid('metadata.name', definition.metadata.name, 'must be spec.names.plural+"."+spec.group');
}

function validateVersion(version: DefinitionVersion, field: string, problems: Problems): void {
  const schema = version.schema?.openAPIV3Schema;
  const root = `${field}.schema.openAPIV3Schema`;
  if (!schema) return problems.required(root, 'schemas are required');
  if (schema.type !== 'object')
    problems.invalid(`${root}.type`, schema.type ?? '', 'must be object at the root');
  for (const { node, path } of nodesOf(schema)) validateNode(node, `${root}${path}`, problems);
  validateColumns(version, field, problems);
  const scale = version.subresources?.scale;
  for (const [key, value] of Object.entries(scale ?? {})) {
    if (typeof value === 'string' && (!value.startsWith('.') || !parseJsonPath(value)))
      problems.invalid(
        `${field}.subresources.scale.${key}`,
        value,
        'should be a json path under .spec or .status',
      );
  }
}

function validateColumns(version: DefinitionVersion, field: string, problems: Problems): void {
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${field}.additionalPrinterColumns[${index}]`;
    if (!parseJsonPath(column.jsonPath ?? ''))
      problems.invalid(`${at}.jsonPath`, column.jsonPath, 'invalid JSON path');
    problems.oneOf(`${at}.type`, column.type, ['boolean', 'date', 'integer', 'number', 'string']);
  }
}

/** One node of a structural schema. */
function validateNode(node: JsonSchema, field: string, problems: Problems): void {
  validateType(node, field, problems);
  forbid(node, field, problems);
  if (node.type === 'array' && !node.items) problems.required(`${field}.items`, 'must be specified');
  validateList(node, field, problems);
  validatePattern(node, field, problems);
  const { default: standard } = node;
  if (standard !== undefined && standard !== null) checkValue(node, standard, `${field}.default`, problems);
}

function validateType(node: JsonSchema, field: string, problems: Problems): void {
  const free = isIntOrString(node) || preservesUnknown(node);
  if (node.type !== undefined) problems.oneOf(`${field}.type`, node.type, TYPES);
  else if (!free) problems.required(`${field}.type`, 'must not be empty for specified object fields');
}

function forbid(node: JsonSchema, field: string, problems: Problems): void {
  const { properties, additionalProperties } = node;
  const exclusive = 'additionalProperties and properties are mutual exclusive';
  const costly = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
  if (node.$ref !== undefined) problems.forbidden(`${field}.$ref`, '$ref is not supported');
  if (node.uniqueItems === true) problems.forbidden(`${field}.uniqueItems`, costly);
  const at = `${field}.additionalProperties`;
  if (properties && additionalProperties !== undefined) problems.forbidden(at, exclusive);
  else if (additionalProperties === false) {
    problems.forbidden(at, 'additionalProperties cannot be set to false');
  }
}

function validateList(node: JsonSchema, field: string, problems: Problems): void {
  const type = node['x-kubernetes-list-type'];
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  problems.oneOf(`${field}.x-kubernetes-list-type`, type, LIST_TYPES);
  if (type !== 'map') return;
  if (keys.length === 0)
    problems.required(
      `${field}.x-kubernetes-list-map-keys`,
      'must not be empty if x-kubernetes-list-type is map',
    );
  for (const key of keys) {
    const item = node.items;
    const known = item?.properties?.[key];
    if (!known)
      problems.invalid(
        `${field}.x-kubernetes-list-map-keys`,
        keys,
        `entries must all be names of item properties`,
      );
    else if (known.default === undefined && !item.required?.includes(key))
      problems.required(
        `${field}.items.properties[${key}].default`,
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      );
  }
}

function validatePattern({ pattern }: JsonSchema, field: string, problems: Problems): void {
  if (pattern === undefined) return;
  try {
    compilePattern(pattern);
  } catch (error) {
    problems.invalid(
      `${field}.pattern`,
      pattern,
      `must be a valid regular expression, but isn't: ${messageOf(error)}`,
    );
  }
}

/** What was said once stays so: objects are stored under it. */
export function validateDefinitionChange(
  definition: KubeObject,
  before: KubeObject,
  problems: Problems,
): void {
  const [spec, former] = [specOf(definition), specOf(before)];
  const fixed: [string, unknown, unknown][] = [
    ['spec.group', spec.group, former.group],
    ['spec.scope', spec.scope, former.scope],
    ['spec.names.plural', spec.names.plural, former.names.plural],
    ['spec.names.kind', spec.names.kind, former.names.kind],
  ];
  for (const [field, value, was] of fixed)
    if (value !== was) problems.invalid(field, value, 'field is immutable');
  const stored = (before.status?.['storedVersions'] as string[] | undefined) ?? [];
  const names = spec.versions.map(({ name }) => name);
  for (const [index, name] of stored.entries()) {
    if (!names.includes(name))
      problems.invalid(
        `status.storedVersions[${index}]`,
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      );
  }
}
