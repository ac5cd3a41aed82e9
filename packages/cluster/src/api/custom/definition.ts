import type { KubeObject } from '../../store/types.ts';
import type { ServedResource } from '../resources.table.ts';
import { addDefinitions } from '../schema/schema.ts';
import type { CustomColumn, CustomType, ScalePaths } from './custom-type.ts';
import type { JsonSchema } from './json-schema.ts';
import { shapesOf } from './shapes.ts';

export const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

export interface DefinitionNames {
  readonly plural: string;
  readonly singular?: string;
  readonly kind: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: { readonly status?: object; readonly scale?: ScalePaths };
  readonly additionalPrinterColumns?: readonly CustomColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

/** The specification of a CustomResourceDefinition. */
export interface DefinitionSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: DefinitionNames;
  readonly versions: readonly DefinitionVersion[];
  readonly conversion?: { readonly strategy?: string };
}

export interface DefinitionCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

const EMPTY: DefinitionSpec = { group: '', scope: '', names: { plural: '', kind: '' }, versions: [] };

/** What was not given is empty: it has not been validated yet. */
export function specOf(definition: KubeObject): DefinitionSpec {
  const given = definition.spec as Partial<DefinitionSpec> | undefined;
  return { ...EMPTY, ...given, names: { ...EMPTY.names, ...given?.names } };
}

export function conditionsOf(definition: KubeObject): readonly DefinitionCondition[] {
  return (definition.status?.['conditions'] as readonly DefinitionCondition[] | undefined) ?? [];
}

export function isEstablished(definition: KubeObject): boolean {
  return conditionsOf(definition).some(({ type, status }) => type === 'Established' && status === 'True');
}

/** `plural.group`: how the store names the objects of a definition. */
export const storageOf = (definition: KubeObject): string => definition.metadata.name;

/** The resources that a definition brings: one for each version that is served. */
export interface ServedTypes {
  readonly types: readonly ServedResource[];
  /** To be called when they are served no longer. */
  readonly forget: () => void;
}

export function servedTypes(definition: KubeObject): ServedTypes {
  const { versions } = specOf(definition);
  const { uid, resourceVersion } = definition.metadata;
  const forgets: (() => void)[] = [];
  const types = versions
    .filter(({ served }) => served)
    .map((version) => {
      const name = `custom/${uid}/${resourceVersion}/${version.name}`;
      forgets.push(addDefinitions(shapesOf(name, schemaOf(version))));
      return servedType(definition, version, name);
    });
  return { types, forget: () => forgets.forEach((forget) => forget()) };
}

const ANYTHING: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const schemaOf = (version: DefinitionVersion): JsonSchema => version.schema?.openAPIV3Schema ?? ANYTHING;

function servedType(definition: KubeObject, version: DefinitionVersion, name: string): ServedResource {
  const { group, names, scope } = specOf(definition);
  const subresources: ('status' | 'scale')[] = [];
  if (version.subresources?.scale) subresources.push('scale');
  if (version.subresources?.status) subresources.push('status');
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    subresources,
    hasGeneration: true,
    storedAs: storageOf(definition),
    definition: name,
    inert: false,
    custom: customType(definition, version),
  };
}

const AGE: CustomColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function customType(definition: KubeObject, version: DefinitionVersion): CustomType {
  const { group, versions, names } = specOf(definition);
  const stored = versions.find(({ storage }) => storage) ?? version;
  const words = `${group}/${version.name} ${names.kind} is deprecated`;
  return {
    schema: schemaOf(version),
    storedApiVersion: `${group}/${stored.name}`,
    columns: version.additionalPrinterColumns?.length ? version.additionalPrinterColumns : [AGE],
    scale: version.subresources?.scale,
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
    deprecation: version.deprecated ? (version.deprecationWarning ?? words) : undefined,
    terminating: definition.metadata.deletionTimestamp !== undefined,
  };
}
