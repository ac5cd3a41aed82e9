import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDigest } from '../digest.ts';
import type { LocalImageStore } from '../store/store.ts';
import type { Digest } from '../types.ts';
import { WireError } from './errors.ts';
import type { Route } from './routes.ts';

export type Action = 'pull' | 'push' | 'delete';

/** What a user may do, as `authenticate` says. */
export interface Access {
  allow(repository: string, action: Action): boolean;
}

/** One request on its way through the registry. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly access: Access;
  readonly store: LocalImageStore;
  /** The registry's own name: what stands before the repository in an image's name. */
  readonly host: string;
}

export type Headers = Readonly<Record<string, string | number>>;

/** The repository's full name in the store. */
export function fullName({ host, route }: Exchange): string {
  return `${host}/${route.repository}`;
}

export function reply({ response }: Exchange, status: number, headers: Headers = {}): void {
  response.writeHead(status, { ...headers, 'content-length': 0 });
  response.end();
}

export function replyJson(exchange: Exchange, value: unknown, headers: Headers = {}): void {
  const body = Buffer.from(JSON.stringify(value));
  const type = { 'content-type': 'application/json' };
  exchange.response.writeHead(200, { ...type, ...headers, 'content-length': body.length });
  exchange.response.end(exchange.request.method === 'HEAD' ? undefined : body);
}

/** Sends a stream. When it fails on the way the connection is cut, so that nobody takes a part for the whole. */
export async function replyStream({ response }: Exchange, body: Readable): Promise<void> {
  await pipeline(body, response);
}

/** @throws WireError SIZE_INVALID (413) when there is more than `limit` */
export async function readBody({ request }: Exchange, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new WireError('SIZE_INVALID', `the content is larger than ${limit} bytes`, { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws WireError DIGEST_INVALID */
export function wireDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new WireError(
    'DIGEST_INVALID',
    'this is not a digest (sha256: and 64 hex digits, or sha512: and 128)',
  );
}

/** The page of a sorted list that `n` and `last` ask for, and the header that leads to the next one. */
export function pageOf(
  exchange: Exchange,
  sorted: readonly string[],
): { page: readonly string[]; headers: Headers } {
  const { query, request } = exchange;
  const last = query.get('last');
  const rest = last === null ? sorted : sorted.filter((item) => item > last);
  const wanted = query.get('n');
  if (wanted === null) return { page: rest, headers: {} };
  if (!/^[0-9]{1,9}$/.test(wanted)) throw new WireError('UNSUPPORTED', 'n is not a number', { status: 400 });
  const page = rest.slice(0, Number(wanted));
  const final = page.at(-1);
  if (final === undefined || page.length === rest.length) return { page, headers: {} };
  const path = (request.url ?? '').split('?')[0];
  const next = new URLSearchParams({ n: wanted, last: final });
  return { page, headers: { link: `<${path}?${next.toString()}>; rel="next"` } };
}
