import type { Catalog } from './catalog.ts';
import type { ServedResource } from './resources.ts';
import { badRequest } from './status.ts';

/** What a path under `/api/v1` or `/apis/GROUP/VERSION` names. */
export interface Target {
  readonly apiVersion: string;
  /** Undefined for resources that are not kept, such as `selfsubjectaccessreviews`. */
  readonly type: ServedResource | undefined;
  readonly plural: string;
  readonly namespace: string | undefined;
  /** Undefined: the collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

const NAMESPACE_SUBRESOURCES = ['status', 'finalize'];
/** What stands behind it is the business of whoever is reached through it. */
export const PROXY = 'proxy';

/** undefined: the path names no resource. */
export function parseTarget(catalog: Catalog, path: string): Target | undefined {
  const parts = path.split('/').slice(1).map(decode);
  if (parts.at(-1) === '') parts.pop();
  if (parts[0] === 'api' && parts[1] === 'v1') return fromParts(catalog, 'v1', parts.slice(2));
  if (parts[0] === 'apis' && parts.length >= 3)
    return fromParts(catalog, `${parts[1]}/${parts[2]}`, parts.slice(3));
  return undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest('the path is not well-formed');
  }
}

function fromParts(catalog: Catalog, apiVersion: string, parts: readonly string[]): Target | undefined {
  const [first, second, third, fourth, fifth] = parts;
  const inNamespace =
    first === 'namespaces' && third !== undefined && !NAMESPACE_SUBRESOURCES.includes(third);
  if (inNamespace) {
    if (parts.length > 5 && fifth !== PROXY) return undefined;
    return target(catalog, apiVersion, {
      plural: third,
      namespace: second,
      name: fourth,
      subresource: fifth,
    });
  }
  if (first === undefined || (parts.length > 3 && third !== PROXY)) return undefined;
  return target(catalog, apiVersion, {
    plural: first,
    namespace: undefined,
    name: second,
    subresource: third,
  });
}

function target(
  catalog: Catalog,
  apiVersion: string,
  named: Pick<Target, 'plural' | 'name' | 'subresource'> & { readonly namespace: string | undefined },
): Target | undefined {
  const type = catalog.byPlural(apiVersion, named.plural);
  // A namespaced object is reached through its namespace only, any other never.
  if (type && !type.namespaced && named.namespace !== undefined) return undefined;
  if (type?.namespaced && named.namespace === undefined && named.name !== undefined) return undefined;
  return { apiVersion, type, ...named };
}
