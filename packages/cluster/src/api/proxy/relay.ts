import http from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '@updraft/kit';
import type { ApiContext } from '../context.ts';
import type { Target } from '../target.ts';
import { destinationOf, unreachable } from './destination.ts';
import type { Destination } from './destination.ts';
import { linkRewriter } from './links.ts';

/** What of a proxied request's address belongs to the API, and what to the server behind it. */
interface Route {
  readonly prefix: string;
  /** With its query; '' when nothing stands behind `/proxy`. */
  readonly path: string;
}

const ROUTE = /^(.*?\/(?:pods|services|nodes)\/[^/]+\/proxy)(\/.*)?$/;

function routeOf(url: URL): Route {
  const [, prefix = '', path = ''] = ROUTE.exec(url.pathname) ?? [];
  return { prefix, path: path === '' ? '' : `${path}${url.search}` };
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly target: Target;
}

/**
 * Hands a request to what listens in a pod, and its answer back. The body goes through as it comes.
 * @throws ApiFault before anything was answered
 */
export async function relay(context: ApiContext, exchange: Exchange): Promise<void> {
  const { message, response, url, target } = exchange;
  const destination = destinationOf(context, target);
  const route = routeOf(url);
  if (route.path === '' && ['GET', 'HEAD'].includes(message.method ?? '')) {
    response.writeHead(301, { location: `${route.prefix}/${url.search}` }).end();
    return;
  }
  const upstream = await ask(destination, message, route);
  response.once('close', () => upstream.destroy());
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.once('error', (error) => reject(unreachable(messageOf(error))));
  });
  pipeline(message, upstream).catch(() => undefined);
  await deliver(await answer, response, { route, destination });
}

/** The same for a client that asks for another protocol. @throws ApiFault before anything was answered */
export async function relayUpgrade(
  context: ApiContext,
  exchange: Omit<Exchange, 'response'> & { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const { message, url, target, socket, head } = exchange;
  const upstream = await ask(destinationOf(context, target), message, routeOf(url), {
    connection: 'Upgrade',
    upgrade: message.headers.upgrade ?? '',
  });
  socket.once('close', () => upstream.destroy());
  upstream.end();
  await new Promise<void>((resolve, reject) => {
    upstream.once('error', (error) => reject(unreachable(messageOf(error))));
    upstream.once('response', (answer) => {
      socket.write(headOf(answer));
      answer.pipe(socket);
      // It did not become a stream: what the client says now is let go, and its end is seen.
      socket.resume();
      resolve();
    });
    upstream.once('upgrade', (answer, inner, first) => {
      socket.write(headOf(answer));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) inner.write(head);
      join(socket, inner);
      resolve();
    });
  });
}

function join(client: Duplex, inner: Duplex): void {
  client.pipe(inner);
  inner.pipe(client);
  inner.on('error', () => client.destroy());
  inner.once('close', () => client.end());
  client.once('close', () => inner.destroy());
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2)
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Of this connection alone, or of the API: no business of the server behind. */
const OWN_HEADERS =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|authorization|impersonate-.*|host)$/;

function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function ask(
  destination: Destination,
  message: IncomingMessage,
  route: Route,
  extra: Record<string, string> = {},
): Promise<ClientRequest> {
  const plain = await destination.connect();
  // A pod's certificate is its own: as Kubernetes does, nobody is asked to vouch for it.
  const socket =
    destination.scheme === 'https' ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
  const path = route.path || '/';
  return http.request({
    method: message.method ?? 'GET',
    path,
    createConnection: () => socket,
    headers: {
      ...forwardedHeaders(message.headers),
      host: destination.host,
      'x-forwarded-uri': `${route.prefix}${path}`,
      'x-forwarded-host': message.headers.host ?? '',
      'x-forwarded-proto': 'https',
      connection: 'close',
      ...extra,
    },
  });
}

const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding'];

async function deliver(
  answer: IncomingMessage,
  response: ServerResponse,
  through: { readonly route: Route; readonly destination: Destination },
): Promise<void> {
  const { prefix } = through.route;
  const headers = Object.fromEntries(
    Object.entries(answer.headers).filter(([name]) => !OF_CONNECTION.includes(name)),
  );
  if (headers['location'] !== undefined)
    headers['location'] = relocated(String(headers['location']), through);
  const isPage = /^text\/html\b/i.test(answer.headers['content-type'] ?? '');
  const rewrites = isPage && answer.headers['content-encoding'] === undefined;
  if (rewrites) delete headers['content-length'];
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  const steps = rewrites ? [answer, linkRewriter(prefix), response] : [answer, response];
  // What breaks off is broken off on the other side as well: that is how the client learns of it.
  await pipeline(steps).catch(() => response.destroy());
}

/** Where the server behind sends the client, as an address of the API. */
function relocated(
  location: string,
  { route, destination }: { readonly route: Route; readonly destination: Destination },
): string {
  const here = `${destination.scheme}://${destination.host}`;
  const local = location.startsWith(`${here}/`) ? location.slice(here.length) : location;
  return local.startsWith('/') && !local.startsWith('//') ? `${route.prefix}${local}` : location;
}
