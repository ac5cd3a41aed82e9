import { METHODS, type Server } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import type { Store } from '../store/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { addAddressRoutes } from './addresses.ts';
import { ALL_METHODS, findEndpoint, pathOf, type Endpoint } from './endpoints.ts';
import { JSON_TYPE, errorBody, faultOf, traceOf } from './error-body.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { addDocumentRoutes } from './openapi.ts';
import { RawRefusals } from './raw-refusal.ts';
import { requestIdOf } from './request-id.ts';

export interface AppOptions {
  /** Of the service, as people read it. */
  readonly name: string;
  readonly store: Store;
  readonly log: ServiceLog;
  readonly readiness: Readiness;
  readonly debug: boolean;
  /** Of a request's body, before and after decompression. */
  readonly bodyLimit: number;
  readonly requestTimeoutMs: number;
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
}

const MAX_TARGET = 8192;
const MAX_HEADER_BYTES = 16_384;

/** What is found out about a request once, for its answer and its line in the log. */
interface Exchange {
  readonly path: string;
  readonly endpoint: Endpoint | undefined;
  error: string | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange | null;
  }
}

/** The service as a handler of requests: it listens nowhere yet and owns no store. */
export function createApp(options: AppOptions): FastifyInstance {
  const refusals = new RawRefusals(options);
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimit,
    requestTimeout: options.requestTimeoutMs,
    // Longer than a proxy keeps its idle connections: the side that sends requests should be the one that closes.
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    genReqId: (request) => requestIdOf(request.headers),
    requestIdHeader: false,
    clientErrorHandler: (error, socket) => refusals.onClientError(error, socket),
    frameworkErrors: (_error, request, reply) =>
      refuse(options, new HttpFault(404, 'Unknown Endpoint'), request, reply),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_HEADER_BYTES },
    http: {
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: options.requestTimeoutMs,
    },
  });
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT')
      app.addHttpMethod(method, { hasBody: true });
  }
  // Whatever a client calls its body, it is taken as JSON; multipart and the like fail as that.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  refusals.attach(app.server as Server);
  app.decorateRequest('exchange', null);
  addHooks(app, options);
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(options, error, request, reply));
  app.setNotFoundHandler(notFound);
  addAddressRoutes(app, options);
  addHealthRoutes(app, options);
  addDocumentRoutes(app, options.name);
  return app;
}

/** Requests that the router itself refuses reach no hook before. */
function exchangeOf(request: FastifyRequest): Exchange {
  if (request.exchange) return request.exchange;
  const path = pathOf(request.raw.url ?? '');
  return (request.exchange = { path, endpoint: findEndpoint(path), error: undefined });
}

function refuse(
  options: AppOptions,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const fault = faultOf(error);
  const exchange = exchangeOf(request);
  exchange.error = fault.status >= 500 ? traceOf(fault) : reasonOf(fault);
  const body = errorBody({ method: request.method, uri: exchange.path }, fault, options.debug);
  reply.raw.statusMessage = fault.message;
  return reply
    .code(fault.status)
    .headers(fault.headers)
    .header('content-type', JSON_TYPE)
    .send(JSON.stringify(body));
}

function reasonOf(fault: HttpFault): string {
  return fault.cause instanceof Error
    ? `${fault.message}: ${fault.cause.message}`.slice(0, 300)
    : fault.message;
}

/** Nothing is routed there: another method of a known path, OPTIONS, or no endpoint at all. */
function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const target = request.raw.url ?? '';
  const allow = target === '*' ? ALL_METHODS : exchangeOf(request).endpoint?.allow;
  if (allow === undefined) throw new HttpFault(404, 'Unknown Endpoint');
  if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
  throw new HttpFault(405, 'Method Not Allowed', { headers: { allow } });
}

function addHooks(app: FastifyInstance, options: AppOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    options.tracing?.begin(raw);
    reply.header('x-request-id', request.id);
    if (options.readiness.draining) reply.header('connection', 'close');
    // The framework would refuse types that it does not know; the contract ignores them.
    delete raw.headers['content-type'];
    const target = raw.url ?? '';
    if (target.length > MAX_TARGET) return done(new HttpFault(414, 'URI Too Long'));
    if (raw.headers.host === undefined && raw.httpVersion === '1.1')
      return done(new HttpFault(400, 'Missing Host header'));
    // The router decodes and normalises; endpoints are only what is spelt exactly so.
    if (!request.is404 && exchangeOf(request).endpoint === undefined)
      return done(new HttpFault(404, 'Unknown Endpoint'));
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    logExchange(options, request, reply);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    exchangeOf(request).error = 'the client went away';
    done();
  });
}

function logExchange(options: AppOptions, request: FastifyRequest, reply: FastifyReply): void {
  const { path, endpoint, error } = exchangeOf(request);
  const route = endpoint?.route;
  const measured = { method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime };
  options.metrics?.observe(measured);
  options.tracing?.end(request.raw, measured);
  // Probes come every few seconds and say nothing while all is well.
  if (reply.statusCode === 200 && (route === '/livez' || route === '/readyz') && !options.debug) return;
  options.log.request({
    ...measured,
    request_id: request.id,
    path,
    bytes: Number(reply.getHeader('content-length') ?? 0),
    ip: request.socket.remoteAddress,
    ...(error === undefined ? {} : { error }),
  });
}
