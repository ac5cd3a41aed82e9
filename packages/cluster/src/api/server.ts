import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@updraft/kit';
import { codeOf } from '@updraft/kit';
import { ClusterFault } from '../fault.ts';
import type { ResourceStore } from '../store/types.ts';
import { identify } from './access.ts';
import { accessRequest } from './authorization/access-request.ts';
import { createAuthorizer } from './authorization/authorizer.ts';
import { demand } from './authorization/guard.ts';
import { catalogOf } from './catalog.ts';
import type { ApiContext } from './context.ts';
import { cleanUpDefinitions } from './custom/cleanup.ts';
import type { Credentials } from './credentials.ts';
import { createHandler } from './handler.ts';
import type { Handler } from './handler.ts';
import type { KubeletPort } from './ports.ts';
import { relayUpgrade } from './proxy/relay.ts';
import { addressOf } from './request.ts';
import { statusOf, unknownPath } from './status.ts';
import { serveStreams } from './streams/upgrade.ts';
import { PROXY, parseTarget } from './target.ts';
import { fillTokenSecrets } from './token-secrets.ts';
import { createTokenIssuer } from './tokens.ts';
import type { TokenIssuer } from './tokens.ts';
import { reviewConnection } from './webhooks/connect.ts';
import { createWebhooks } from './webhooks/gate.ts';
import type { Webhooks } from './webhooks/gate.ts';

export interface ApiServerOptions {
  readonly store: ResourceStore;
  readonly kubelet: KubeletPort;
  readonly credentials: Credentials;
  /** CIDR of Service addresses. */
  readonly serviceCidr: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the product, shown in `/version`. */
  readonly version: string;
  readonly limits?: {
    /** How long a client may stay silent before the end of its handshake, and before its first request. */
    readonly silenceMs: number;
    /** On one address: strangers, too, may connect, and each connection costs a descriptor. */
    readonly connections: number;
  };
}

/** The cluster's API over HTTPS with client certificates. */
export interface ApiServer {
  readonly handler: Handler;
  /** For the kubelet: tokens of service accounts, mounted into pods. */
  readonly tokens: TokenIssuer;
  /** For controllers: who is to be asked about what they create. */
  readonly webhooks: Webhooks;
  /**
   * Starts to listen on the same port of every address: `port`, or the next one that is free on all of them.
   * @throws ClusterFault PORT_IN_USE after 100 tries
   */
  listen(options: { readonly port: number; readonly addresses: readonly string[] }): Promise<number>;
  /** Connections from now on meet these certificates; those that are open go on. */
  renew(credentials: Credentials): void;
  /** Ends every connection, watches included. Safe to call twice. */
  close(): Promise<void>;
}

const PORT_TRIES = 100;
const KEEP_ALIVE_MS = 90_000;
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 20_000;
const LINGER_MS = 5000;
const LIMITS = { silenceMs: 30_000, connections: 2048 };

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, kubelet, logger, serviceCidr, version, credentials } = options;
  const tokens = createTokenIssuer(credentials.tokenKey, { store, clock });
  const authorizer = createAuthorizer(store);
  const webhooks = createWebhooks({ store, kubelet, clock, logger });
  const parts = { store, clock, kubelet, logger, serviceCidr, version };
  const context: ApiContext = { ...parts, tokens, authorizer, webhooks };
  const handler = createHandler(context);
  const stops = [cleanUpDefinitions(context), fillTokenSecrets(context, credentials.ca)];
  const servers: Server[] = [];
  let current = credentials;
  return {
    handler,
    tokens,
    webhooks,
    async listen({ port, addresses }) {
      for (let tried = 0; tried < PORT_TRIES; tried += 1) {
        const started = await listenOn(addresses, port === 0 ? 0 : port + tried, () =>
          makeServer(context, { handler, credentials: current, limits: options.limits ?? LIMITS }),
        );
        if (!started) continue;
        servers.push(...started);
        const address = started[0]?.address();
        return typeof address === 'object' && address ? address.port : port;
      }
      throw new ClusterFault(
        'PORT_IN_USE',
        `no free port for the API server from ${port} to ${port + PORT_TRIES - 1}`,
        {
          next: 'Free one of these ports or choose another one.',
        },
      );
    },
    renew(fresh) {
      current = fresh;
      for (const server of servers) server.setSecureContext(secureContext(fresh));
    },
    async close() {
      webhooks.close();
      for (const stop of stops.splice(0)) stop();
      await Promise.all(servers.splice(0).map(closeServer));
    },
  };
}

/** Connections that the HTTP server has handed over and no longer counts as its own. */
const upgraded = new WeakMap<Server, Set<Duplex>>();

const secureContext = ({ ca, server }: Credentials) =>
  ({ ca, cert: server.certificate, key: server.key, minVersion: 'TLSv1.2' }) as const;

function makeServer(
  context: ApiContext,
  parts: Required<Pick<ApiServerOptions, 'credentials' | 'limits'>> & { readonly handler: Handler },
): Server {
  const { silenceMs, connections } = parts.limits;
  const made = createServer(
    {
      ...secureContext(parts.credentials),
      // Who comes without a certificate may have a token: the handler decides.
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // From its first byte to its last: who sends more slowly than this has no request.
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 2,
      handshakeTimeout: silenceMs,
    },
    parts.handler,
  );
  made.maxConnections = connections;
  made.on('secureConnection', (socket: TLSSocket) => socket.setTimeout(silenceMs, () => socket.destroy()));
  // Node's own timeouts begin with the first request; a watch is silent for as long as nothing happens.
  made.on('request', ({ socket }: IncomingMessage) => socket.setTimeout(0));
  const taken = new Set<Duplex>();
  upgraded.set(made, taken);
  made.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    message.socket.setTimeout(0);
    taken.add(socket);
    socket.once('close', () => taken.delete(socket));
    socket.on('error', () => socket.destroy());
    upgrade(context, { message, socket, head }).catch((error: unknown) =>
      refuse(socket, error, context.clock),
    );
  });
  return made;
}

interface Upgrade {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function upgrade(context: ApiContext, request: Upgrade): Promise<void> {
  const user = identify(context, request.message);
  const url = addressOf(request.message);
  const target = parseTarget(catalogOf(context.store), url.pathname);
  const asked = {
    method: request.message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    user,
  };
  if (target?.subresource === PROXY) {
    demand(context.authorizer, accessRequest({ ...asked, query: new URLSearchParams() }, target));
    await reviewConnection(context, { target, query: url.searchParams, user });
    return relayUpgrade(context, { ...request, url, target });
  }
  const wanted = accessRequest(asked, target);
  // A WebSocket begins with a GET: to do more than read it must not be enough to be allowed to read.
  const verbs = target?.subresource === 'log' ? [wanted.verb] : [wanted.verb, 'create'];
  for (const verb of new Set(verbs)) demand(context.authorizer, { ...wanted, verb });
  const { type, namespace, name, subresource } = target ?? {};
  if (!type || name === undefined) throw unknownPath();
  const query = url.searchParams;
  if (target) await reviewConnection(context, { target, query, user });
  await serveStreams(context, { type, namespace, name, subresource }, { ...request, query });
}

/** An upgrade that is refused is answered like any request, by hand: there is no response object here. */
function refuse(socket: Duplex, error: unknown, clock: Clock): void {
  const status = statusOf(error);
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Who is not read from is never seen to go; who does not go is sent away.
  socket.resume();
  socket.once(
    'close',
    clock.timer(LINGER_MS, () => socket.destroy()),
  );
}

/** All addresses or none: undefined when the port is taken on one of them. */
async function listenOn(
  addresses: readonly string[],
  port: number,
  make: () => Server,
): Promise<Server[] | undefined> {
  const servers: Server[] = [];
  let chosen = port;
  try {
    for (const host of addresses) {
      const server = make();
      servers.push(server);
      server.listen({ host, port: chosen });
      await once(server, 'listening');
      const address = server.address();
      if (typeof address === 'object' && address) chosen = address.port;
    }
    return servers;
  } catch (error) {
    await Promise.all(servers.map(closeServer));
    if (codeOf(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  for (const socket of upgraded.get(server) ?? []) socket.destroy();
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
