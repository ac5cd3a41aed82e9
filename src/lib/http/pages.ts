import { HttpFault } from '../fault.ts';
import type { Page } from '../store/store.ts';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;

export interface PageRequest {
  readonly after: string;
  readonly limit: number;
}

/** `?limit=&cursor=`. Undefined: neither was asked for, and the answer is the whole list. @throws HttpFault 400 */
export function pageRequestOf(target: string): PageRequest | undefined {
  const at = target.indexOf('?');
  if (at === -1) return undefined;
  const query = new URLSearchParams(target.slice(at + 1));
  const limit = query.get('limit');
  const cursor = query.get('cursor');
  if (limit === null && cursor === null) return undefined;
  if (limit !== null && !/^[1-9]\d{0,3}$/.test(limit)) throw new HttpFault(400, 'limit has invalid value');
  if (cursor !== null && !/^[0-9a-f]{32}$/.test(cursor)) throw new HttpFault(400, 'cursor has invalid value');
  return { after: cursor ?? '', limit: Math.min(Number(limit ?? DEFAULT_LIMIT), MAX_LIMIT) };
}

/** Pages are joined by `Link: <…>; rel="next"` (RFC 8288); the last one has none. */
export function linkOf({ next }: Page, limit: number): readonly string[] {
  return next === undefined ? [] : ['link', `</addresses?limit=${limit}&cursor=${next}>; rel="next"`];
}
