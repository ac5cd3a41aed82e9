import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import type { EarlyAnswer } from './early-answers.ts';
import { endToEnd, hasBody } from './headers.ts';
import type { Headers } from './headers.ts';
import type { Upgraded } from './upstream.ts';

/** So much of a body that nobody wants is still read, so that its sender comes to read the answer. */
const LINGER_BYTES = 64 * 1024 * 1024;

interface OverHttp2 {
  readonly stream: { readonly destroyed: boolean; close(code: number): void };
}

const INTERNAL_ERROR = 2;

const overHttp2 = (
  response: ServerResponse | (ServerResponse & OverHttp2),
): OverHttp2['stream'] | undefined => ('stream' in response ? response.stream : undefined);

const isGone = (response: ServerResponse) => overHttp2(response)?.destroyed ?? response.destroyed;

/** Breaks an answer off so that the client notices. */
export function cut(response: ServerResponse): void {
  const stream = overHttp2(response);
  if (stream) stream.close(INTERNAL_ERROR);
  else response.destroy();
}

function writeHead(response: ServerResponse, code: number, message: string, headers: Headers): void {
  // HTTP/2 has no words beside its codes.
  if (overHttp2(response)) response.writeHead(code, headers);
  else response.writeHead(code, message, headers);
}

/** Passes a pod's answer back. */
export function passBack(from: IncomingMessage, response: ServerResponse, added: Headers): void {
  if (isGone(response)) {
    from.destroy();
    return;
  }
  const headers = withAdded(endToEnd(from.rawHeaders), added);
  writeHead(response, from.statusCode ?? 502, from.statusMessage ?? '', headers);
  from.once('end', () => {
    const { trailers } = from;
    if (Object.keys(trailers).length > 0) response.addTrailers(trailers);
  });
  pipeline(from, response, (error) => {
    if (error) cut(response);
  });
}

/** Cookies are added to those of the pod; everything else of ours takes the place of theirs. */
function withAdded(headers: Headers, added: Headers): Headers {
  const cookies = [headers['set-cookie'] ?? [], added['set-cookie'] ?? []].flat();
  return { ...headers, ...added, ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}) };
}

function textOf({ code, why }: EarlyAnswer): string {
  return why === undefined ? '' : `${code} ${STATUS_CODES[code] ?? ''}: ${why}\n`;
}

/** An answer of the ingress's own. */
export function say(request: IncomingMessage, response: ServerResponse, answer: EarlyAnswer): void {
  if (response.headersSent || isGone(response)) {
    cut(response);
    return;
  }
  const text = textOf(answer);
  const size = answer.code === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) };
  const type = text === '' ? {} : { 'content-type': 'text/plain; charset=utf-8' };
  writeHead(response, answer.code, STATUS_CODES[answer.code] ?? '', { ...type, ...size, ...answer.headers });
  response.end(request.method === 'HEAD' ? undefined : text);
  if (hasBody(request)) drain(request);
}

/** A connection that is closed while its client still sends takes the answer with it. */
function drain(request: IncomingMessage): void {
  let bytes = 0;
  request.unpipe();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) request.destroy();
  });
  request.resume();
}

/** The same for a client that wanted to leave HTTP. */
export function sayOnSocket(client: Duplex, answer: EarlyAnswer): void {
  const text = textOf(answer);
  const headers = {
    ...answer.headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(text)),
  };
  client.end(`${head(answer.code, STATUS_CODES[answer.code] ?? '', headers)}${text}`);
}

export function headText(response: IncomingMessage, extra: Headers): string {
  const headers = withAdded(endToEnd(response.rawHeaders), extra);
  return head(response.statusCode ?? 502, response.statusMessage ?? '', headers);
}

function head(code: number, message: string, headers: Headers): string {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  return [`HTTP/1.1 ${code} ${message}`, ...lines, '', ''].join('\r\n');
}

/** Makes one connection of the client's and the pod's. */
export function join(
  { response, socket, head: first }: Upgraded,
  client: Duplex,
  clientFirst: Buffer,
  added: Headers,
): void {
  socket.on('error', () => client.destroy());
  client.on('error', () => socket.destroy());
  client.write(
    headText(response, { ...added, connection: 'Upgrade', upgrade: response.headers.upgrade ?? '' }),
  );
  if (first.length > 0) client.write(first);
  if (clientFirst.length > 0) socket.write(clientFirst);
  pipeline(socket, client, () => client.destroy());
  pipeline(client, socket, () => socket.destroy());
}
