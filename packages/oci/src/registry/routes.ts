import { isRepository } from '../reference.ts';
import { WireError } from './errors.ts';

export type RouteName =
  | 'root'
  | 'catalog'
  | 'blob'
  | 'manifest'
  | 'tags'
  | 'referrers'
  | 'uploads'
  | 'upload';

/** What a path of the distribution API names. `item` is the digest, tag or upload id at its end. */
export interface Route {
  readonly name: RouteName;
  readonly repository: string;
  readonly item: string;
}

/** Read from the end, since every part in front may belong to the repository's name. */
export function parseRoute(path: string): Route {
  const parts = decode(path).split('/');
  if (parts[0] !== '' || parts[1] !== 'v2') throw notFound(path);
  const rest = parts.slice(2);
  if (rest.length === 0 || (rest.length === 1 && rest[0] === ''))
    return { name: 'root', repository: '', item: '' };
  if (rest.length === 1 && rest[0] === '_catalog') return { name: 'catalog', repository: '', item: '' };
  const found = tail(rest);
  if (!found) throw notFound(path);
  const repository = rest.slice(0, rest.length - found.parts).join('/');
  if (!isRepository(repository))
    throw new WireError('NAME_INVALID', 'the repository’s name is not well formed');
  return { name: found.name, repository, item: found.item };
}

function tail(parts: readonly string[]): { name: RouteName; parts: number; item: string } | undefined {
  const [third, second, last = ''] = [parts.at(-3), parts.at(-2), parts.at(-1)];
  if (third === 'blobs' && second === 'uploads') {
    return { name: last === '' ? 'uploads' : 'upload', parts: 3, item: last };
  }
  if (second === 'blobs') return { name: last === 'uploads' ? 'uploads' : 'blob', parts: 2, item: last };
  if (second === 'manifests') return { name: 'manifest', parts: 2, item: last };
  if (second === 'referrers') return { name: 'referrers', parts: 2, item: last };
  if (second === 'tags' && last === 'list') return { name: 'tags', parts: 2, item: '' };
  return undefined;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw notFound(path);
  }
}

function notFound(path: string): WireError {
  return new WireError('NAME_UNKNOWN', `there is nothing at ${path.slice(0, 200)}`);
}
