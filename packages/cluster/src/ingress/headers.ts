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
  'x-real-ip',
  'forwarded',
]);

/** The headers that travel on, repeated ones kept apart. */
export function endToEnd(rawHeaders: readonly string[], without: ReadonlySet<string> = new Set()): Headers {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
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
  const from = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const chunked = request.headers['transfer-encoding'] !== undefined;
  return {
    ...headers,
    ...(chunked ? { 'transfer-encoding': 'chunked' } : {}),
    'x-forwarded-for': from,
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(request.socket.localPort ?? 80),
    'x-real-ip': from,
  };
}

/** `Host` without its port. */
export function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? '').replace(/:\d+$/, '');
}

/** The path as it was sent, without the query; dot segments and escapes are the application's to understand. */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/]*/i, '');
  return path.split(/[?#]/, 1)[0] || '/';
}
