import type { IncomingMessage } from 'node:http';

export type Headers = Record<string, string | string[]>;

/** They belong to one connection, not to the message (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // The server answers it by itself.
  'expect',
]);

/** Taken from the connection, so that a client cannot say it is somebody else. */
const OURS = new Set([
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-scheme',
  'x-scheme',
  'x-real-ip',
  'forwarded',
]);

/** The headers that travel on, repeated ones kept apart. */
export function endToEnd(rawHeaders: readonly string[], without: ReadonlySet<string> = new Set()): Headers {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    // HTTP/2 has method, path and host among the headers, under names like `:path`.
    if (!name.startsWith(':')) pairs.push([name, rawHeaders[index + 1] ?? '']);
  }
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','));
  const dropped = new Set([...HOP_BY_HOP, ...without, ...named.map((name) => name.trim().toLowerCase())]);
  const headers: Headers = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (dropped.has(key)) continue;
    const before = headers[key];
    headers[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return headers;
}

/** What the application behind the proxy gets to see. */
export function forwardHeaders(request: IncomingMessage): Headers {
  const headers = endToEnd(request.rawHeaders, OURS);
  const from = addressOf(request);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const host = request.headers.host ?? authorityOf(request);
  return {
    ...headers,
    ...(host === undefined ? {} : { host }),
    // HTTP/2 clients may send them one by one.
    ...(request.headers.cookie === undefined ? {} : { cookie: request.headers.cookie }),
    ...(chunked || hasUnknownLength(request) ? { 'transfer-encoding': 'chunked' } : {}),
    'x-forwarded-for': from,
    'x-forwarded-host': host ?? '',
    'x-forwarded-proto': isSecure(request) ? 'https' : 'http',
    'x-forwarded-port': String(request.socket.localPort ?? 80),
    'x-forwarded-scheme': isSecure(request) ? 'https' : 'http',
    'x-scheme': isSecure(request) ? 'https' : 'http',
    'x-real-ip': from,
  };
}

/** The client's address; IPv4 ones in their own notation. */
export function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
}

export function isSecure({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

function authorityOf({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority'];
  return typeof authority === 'string' ? authority : undefined;
}

/** HTTP/2 marks the end of a body instead of saying its length beforehand. */
function hasUnknownLength(request: IncomingMessage): boolean {
  const { stream } = request as { stream?: { endAfterHeaders?: boolean } };
  return (
    stream !== undefined &&
    stream.endAfterHeaders === false &&
    request.headers['content-length'] === undefined
  );
}

/** Is there a body? */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined ||
    hasUnknownLength(request)
  );
}

/** `Host` without its port. */
export function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? authorityOf(request) ?? '').replace(/:\d+$/, '').replace(/\.$/, '');
}

/** The path as it was sent, without the query; dot segments and escapes are the application's to understand. */
export function pathOf(request: IncomingMessage): string {
  return withoutOrigin(request).split(/[?#]/, 1)[0] || '/';
}

/** The query as it was sent, with its question mark; empty without one. */
export function queryOf(request: IncomingMessage): string {
  const target = withoutOrigin(request);
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark);
}

function withoutOrigin({ url = '/' }: IncomingMessage): string {
  return url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?]*/i, '');
}
