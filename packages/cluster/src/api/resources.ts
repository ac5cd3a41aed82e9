import { RESOURCES } from './resources.table.ts';
import type { ServedResource } from './resources.table.ts';

export { RESOURCES } from './resources.table.ts';
export type { ServedResource } from './resources.table.ts';

/** `v1`, `apps/v1`. */
export function apiVersionOf(type: { readonly group: string; readonly version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

const byPath = new Map(RESOURCES.map((type) => [`${apiVersionOf(type)}/${type.plural}`, type]));
const byKind = new Map(RESOURCES.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]));
const byStorage = new Map(RESOURCES.toReversed().map((type) => [type.storedAs, type]));

/** By what stands in a path: group-version and plural. */
export function findByPlural(apiVersion: string, plural: string): ServedResource | undefined {
  return byPath.get(`${apiVersion}/${plural}`);
}

/** By what stands in a manifest or an owner reference. */
export function findByKind(apiVersion: string, kind: string): ServedResource | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}

/** By the store's name, such as `deployments.apps`. */
export function findByStorage(resource: string): ServedResource | undefined {
  return byStorage.get(resource);
}
