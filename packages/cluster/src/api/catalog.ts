import type { KubeObject, ResourceStore } from '../store/types.ts';
import { DEFINITIONS, isEstablished, servedTypes } from './custom/definition.ts';
import type { ServedTypes } from './custom/definition.ts';
import { RESOURCES, apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';

/** Every resource that is served now: those built in, and those that CustomResourceDefinitions brought. */
export interface Catalog {
  readonly all: readonly ServedResource[];
  /** By what stands in a path: group-version and plural. */
  byPlural(apiVersion: string, plural: string): ServedResource | undefined;
  /** By what stands in a manifest or an owner reference. */
  byKind(apiVersion: string, kind: string): ServedResource | undefined;
  /** By the store's name, such as `deployments.apps`. */
  byStorage(resource: string): ServedResource | undefined;
}

interface Kept {
  readonly definitions: readonly KubeObject[];
  readonly catalog: Catalog;
  /** What each established definition brought. */
  readonly served: ReadonlyMap<KubeObject, ServedTypes>;
}

const BUILT_IN = makeCatalog(RESOURCES);
const kept = new WeakMap<object, Kept>();

/** What this store's server serves. Cheap: made anew only when a definition has changed. */
export function catalogOf(store: Pick<ResourceStore, 'list'>): Catalog {
  const definitions = store.list(DEFINITIONS);
  const known = kept.get(store);
  // The store gives the same list until something in it changes.
  if (known?.definitions === definitions) return known.catalog;
  if (!known && definitions.length === 0) return BUILT_IN;
  const established = definitions.filter(isEstablished);
  const served = new Map(
    established.map((each) => [each, known?.served.get(each) ?? servedTypes(each)] as const),
  );
  for (const [definition, { forget }] of known?.served ?? []) if (!served.has(definition)) forget();
  const catalog = makeCatalog([...RESOURCES, ...[...served.values()].flatMap(({ types }) => types)]);
  kept.set(store, { definitions, catalog, served });
  return catalog;
}

function makeCatalog(all: readonly ServedResource[]): Catalog {
  const byPath = new Map(all.map((type) => [`${apiVersionOf(type)}/${type.plural}`, type]));
  const byKind = new Map(all.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]));
  const byStorage = new Map(all.toReversed().map((type) => [type.storedAs, type]));
  return {
    all,
    byPlural: (apiVersion, plural) => byPath.get(`${apiVersion}/${plural}`),
    byKind: (apiVersion, kind) => byKind.get(`${apiVersion}/${kind}`),
    byStorage: (resource) => byStorage.get(resource),
  };
}
