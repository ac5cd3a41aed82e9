import http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { codeOf } from '@updraft/kit';
import type { Pem } from './default-certificate.ts';

/** What a listener passes requests to; also those that came by HTTP/2 look as if they had come by HTTP/1.1. */
export interface Handler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Where a listener's certificates come from. */
export interface Identity {
  /** undefined: the default one. */
  contextFor(host: string): SecureContext | undefined;
  fallback(): Promise<Pem>;
}

export interface Patience {
  /** How long a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** How long a client may stay silent before its first byte, and may take for its handshake and a request's headers. */
  readonly silenceMs: number;
}

const PATIENCE: Patience = { keepAliveMs: 75_000, silenceMs: 60_000 };
/** First byte of a TLS handshake; no method of HTTP begins like that. */
const TLS_HANDSHAKE = 0x16;
/**
 * A certificate chosen by name is only put beside the default one when its key is of another kind, and clients like the
 * default one's kind (ECDSA) best. So the server's order counts, and that kind comes last.
 */
const PREFERENCES = {
  honorCipherOrder: true,
  sigalgs: [
    'ed25519:ed448',
    'rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512',
    'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512',
    'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512',
    'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512',
  ].join(':'),
};

/**
 * Serves HTTP and HTTPS on the same port: the first byte tells which. So an environment's URL works with either scheme,
 * whichever port it names.
 */
export function createListener(handler: Handler, identity: Identity, patience = PATIENCE): Server {
  const { keepAliveMs: keepAliveTimeout, silenceMs: headersTimeout } = patience;
  // Without a limit for whole requests there would be none for headers either, unless it is asked for.
  const plain = http.createServer({ keepAliveTimeout, headersTimeout, requestTimeout: 0 });
  const secure = createSecure(identity, patience);
  for (const server of [plain, secure]) {
    server.on('request', (request, response) =>
      handler.handle(request as IncomingMessage, response as ServerResponse),
    );
    // Whether the body is wanted is known only when a pod is found that takes it.
    server.on('checkContinue', (request, response) =>
      handler.handle(request as IncomingMessage, response as ServerResponse),
    );
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      handler.upgrade(request, socket, head),
    );
    // What is not HTTP gets a short answer, and cannot hold the connection.
    server.on('clientError', (error: Error, socket: Duplex) => refuse(socket, codeOf(error)));
  }
  let standard: Pem | undefined;
  const accept = async (socket: Socket) => {
    const pem = await identity.fallback();
    if (pem !== standard) secure.setSecureContext({ ...PREFERENCES, cert: pem.certificate, key: pem.key });
    standard = pem;
    secure.emit('connection', socket);
  };
  const passOn = plain.listeners('connection') as ((socket: Socket) => void)[];
  plain.removeAllListeners('connection');
  const open = new Set<Socket>();
  plain.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    distinguish(socket, patience, (isSecure) => {
      if (isSecure) void accept(socket).catch(() => socket.destroy());
      else for (const listener of passOn) listener.call(plain, socket);
    });
  });
  // It never listens by itself, and only then would it begin to look for requests that never end.
  plain.once('listening', () => secure.emit('listening'));
  plain.once('close', () => secure.close());
  plain.closeAllConnections = () => {
    for (const socket of open) socket.destroy();
  };
  return plain;
}

function createSecure(identity: Identity, { keepAliveMs, silenceMs }: Patience): Http2SecureServer {
  const server = createSecureServer({
    allowHTTP1: true,
    ...PREFERENCES,
    minVersion: 'TLSv1.2',
    handshakeTimeout: silenceMs,
    SNICallback: (host, done) => {
      done(null, identity.contextFor(host));
    },
  });
  // Of the HTTP/1.1 that it speaks as well; its type does not know them.
  Object.assign(server, { requestTimeout: 0, headersTimeout: silenceMs, keepAliveTimeout: keepAliveMs });
  server.on('session', (session) => endWhenIdle(session, keepAliveMs));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('sessionError', () => undefined);
  return server;
}

/** A connection of HTTP/2 on which nothing is asked does not last longer than one of HTTP/1.1. */
function endWhenIdle(session: ServerHttp2Session, keepAliveMs: number): void {
  let open = 0;
  session.on('stream', (stream) => {
    open += 1;
    stream.once('close', () => (open -= 1));
  });
  session.setTimeout(keepAliveMs, () => {
    if (open === 0) session.destroy();
  });
}

/** Waits for the first byte and puts it back. */
function distinguish(socket: Socket, { silenceMs }: Patience, tell: (isSecure: boolean) => void): void {
  const giveUp = () => socket.destroy();
  socket.setTimeout(silenceMs, giveUp);
  socket.on('error', giveUp);
  const look = () => {
    const first = socket.read(1) as Buffer | null;
    if (first === null) return;
    socket.off('readable', look);
    socket.off('timeout', giveUp);
    socket.setTimeout(0);
    socket.unshift(first);
    tell(first[0] === TLS_HANDSHAKE);
  };
  socket.on('readable', look);
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function refuse(socket: Duplex, code: string | undefined): void {
  if (!socket.writable) return void socket.destroy();
  const status = REFUSALS[code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
