import { messageOf } from '@updraft/kit';
import type { Logger } from '@updraft/kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalImageStore } from '../store/store.ts';
import { deleteBlob, readBlob } from './blobs.ts';
import { WireError, wireErrorOf } from './errors.ts';
import { reply } from './exchange.ts';
import type { Access, Action, Exchange } from './exchange.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { deleteManifest, readManifest, writeManifest } from './manifests.ts';
import { parseRoute } from './routes.ts';
import type { RouteName } from './routes.ts';
import { UploadSessions } from './upload-sessions.ts';
import { appendUpload, cancelUpload, finishUpload, startUpload, uploadStatus } from './uploads.ts';

/** What a registry is made with. */
export interface RegistryOptions {
  readonly store: LocalImageStore;
  /**
   * `host[:port]` under which clients know this registry. Repository `a/b` with tag `t` is the store's name
   * `<host>/a/b:t`, so what is pushed here can be run without a copy, and what is tagged there can be pulled here.
   */
  readonly host: string;
  /** The rights of a user; undefined for a wrong name or password. */
  readonly authenticate: (
    username: string,
    password: string,
  ) => Access | undefined | Promise<Access | undefined>;
  readonly logger: Logger;
}

type Handler = (exchange: Exchange, sessions: UploadSessions) => void | Promise<void>;
type Verb = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const HANDLERS: Readonly<Record<RouteName, Partial<Record<Verb, Handler>>>> = {
  root: { GET: (exchange) => reply(exchange, 200), HEAD: (exchange) => reply(exchange, 200) },
  catalog: { GET: listRepositories, HEAD: listRepositories },
  tags: { GET: listTags, HEAD: listTags },
  referrers: { GET: listReferrers, HEAD: listReferrers },
  blob: { GET: readBlob, HEAD: readBlob, DELETE: deleteBlob },
  manifest: { GET: readManifest, HEAD: readManifest, PUT: writeManifest, DELETE: deleteManifest },
  uploads: { POST: startUpload },
  upload: { GET: uploadStatus, PATCH: appendUpload, PUT: finishUpload, DELETE: cancelUpload },
};

const CHALLENGE = { 'www-authenticate': 'Basic realm="updraft"' };

/**
 * The store as a registry of the OCI distribution specification 1.1: a handler for a Node HTTP server. Every request
 * needs credentials. It answers everything itself and never throws; the server's life is the caller's.
 */
export function createRegistry(
  options: RegistryOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const sessions = new UploadSessions(options.store);
  return (request, response) => {
    void answer(options, sessions, { request, response });
  };
}

type Pair = Pick<Exchange, 'request' | 'response'>;

async function answer(options: RegistryOptions, sessions: UploadSessions, pair: Pair): Promise<void> {
  const { request, response } = pair;
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  response.setHeader('x-content-type-options', 'nosniff');
  try {
    await handle(options, sessions, pair);
  } catch (error) {
    const wire = wireErrorOf(error);
    const facts = { method: request.method, path: request.url?.split('?')[0], status: wire.status };
    const unexpected = wire.code === 'UNKNOWN' && !response.destroyed;
    options.logger.log(unexpected ? 'error' : 'debug', 'registry request failed', {
      ...facts,
      why: messageOf(error),
    });
    writeError(pair, wire);
  }
}

async function handle(options: RegistryOptions, sessions: UploadSessions, pair: Pair): Promise<void> {
  const { request } = pair;
  const access = await authenticated(options, request);
  const [path, query] = splitOnce(request.url ?? '', '?');
  const route = parseRoute(path);
  const verbs = HANDLERS[route.name];
  const handler = isVerb(request.method) ? verbs[request.method] : undefined;
  if (!handler) {
    const headers = { allow: Object.keys(verbs).join(', ') };
    throw new WireError('UNSUPPORTED', `${request.method} is not possible here`, { headers });
  }
  if (route.repository !== '' && !access.allow(route.repository, actionOf(request.method, route.name))) {
    throw new WireError('DENIED', 'this user may not do that in this repository');
  }
  const { store, host } = options;
  await handler({ ...pair, route, query: new URLSearchParams(query), access, store, host }, sessions);
}

async function authenticated(options: RegistryOptions, request: IncomingMessage): Promise<Access> {
  const match = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(request.headers.authorization ?? '');
  if (!match) throw new WireError('UNAUTHORIZED', 'credentials are needed', { headers: CHALLENGE });
  const [username, password] = splitOnce(Buffer.from(match[1] ?? '', 'base64').toString('utf8'), ':');
  const access = await options.authenticate(username, password);
  if (!access)
    throw new WireError('UNAUTHORIZED', 'the name or the password is wrong', { headers: CHALLENGE });
  return access;
}

function isVerb(method: string | undefined): method is Verb {
  return method !== undefined && ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
}

/** To cancel an upload is part of pushing. */
function actionOf(method: string | undefined, route: RouteName): Action {
  if (route === 'upload' || route === 'uploads') return 'push';
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function writeError({ request, response }: Pair, error: WireError): void {
  // Too late for a status: the client must see that the answer is broken.
  if (response.headersSent) return void response.destroy();
  const body = Buffer.from(error.body());
  // What is left of a large upload is not worth reading.
  const close = request.complete ? {} : { connection: 'close' };
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    ...close,
    ...error.headers,
  };
  response.writeHead(error.status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}
