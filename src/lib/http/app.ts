import { STATUS_CODES, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import type { Soon } from '../soon.ts';
import type { Store } from '../store/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { addressHandlers } from './addresses.ts';
import { ALL_METHODS } from './endpoints.ts';
import { JSON_TYPE, errorBody, faultOf, traceOf } from './error-body.ts';
import { Exchange, type Answer, type Handlers } from './exchange.ts';
import { healthHandlers, type Readiness } from './health.ts';
import { documentHandlers } from './openapi.ts';
import { RawRefusals } from './raw-refusal.ts';

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
/** Longer than a proxy keeps its idle connections: the side that sends requests should be the one that closes. */
const KEEP_ALIVE_MS = 75_000;
/** What nginx calls a request whose client went away before there was an answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** The service as a server of HTTP: it listens nowhere yet and owns no store. */
export class App {
  readonly server: Server;
  readonly #options: AppOptions;
  readonly #handlers: Handlers;
  readonly #refusals: RawRefusals;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#handlers = {
      ...addressHandlers(options),
      ...healthHandlers(options),
      ...documentHandlers(options.name),
    };
    this.server = createServer(
      {
        requireHostHeader: false,
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: options.requestTimeoutMs,
        requestTimeout: options.requestTimeoutMs,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => this.#begin(new Exchange(request, response)),
    );
    this.#refusals = new RawRefusals(this.server, options);
  }

  /** Resolves to the port. */
  listen(at: { host: string; port: number }): Promise<number> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, () => {
        server.off('error', reject);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no new connections and resolves when the last one has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }

  #begin(exchange: Exchange): void {
    this.#refusals.watch(exchange);
    this.#options.tracing?.begin(exchange.request);
    // Comes once for every response, also when nobody is left to read it.
    exchange.response.on('close', () => this.#end(exchange));
    const answer = this.#answer(exchange);
    if (answer instanceof Promise) void answer.then((made) => this.#send(exchange, made));
    else this.#send(exchange, answer);
  }

  #answer(exchange: Exchange): Soon<Answer> {
    const refuse = (error: unknown) => this.#refuse(exchange, error);
    try {
      const answer = this.#handle(exchange);
      return answer instanceof Promise ? answer.catch(refuse) : answer;
    } catch (error) {
      return refuse(error);
    }
  }

  /** @throws HttpFault */
  #handle(exchange: Exchange): Soon<Answer> {
    const { method, target, endpoint, request } = exchange;
    if (target.length > MAX_TARGET) throw new HttpFault(414, 'URI Too Long');
    if (request.headers.host === undefined && request.httpVersion === '1.1')
      throw new HttpFault(400, 'Missing Host header');
    const handler = endpoint && this.#handlers[endpoint.route]?.[method === 'HEAD' ? 'GET' : method];
    return handler ? handler(exchange) : answerOther(exchange);
  }

  #refuse(exchange: Exchange, error: unknown): Answer {
    const fault = faultOf(error);
    exchange.error = fault.status >= 500 ? traceOf(fault) : reasonOf(fault);
    const body = errorBody({ method: exchange.method, uri: exchange.path }, fault, this.#options.debug);
    return {
      status: fault.status,
      phrase: fault.message,
      headers: [...Object.entries(fault.headers).flat(), 'content-type', JSON_TYPE],
      body: JSON.stringify(body),
    };
  }

  #send(exchange: Exchange, { status, phrase, headers, body }: Answer): void {
    if (exchange.outcome !== undefined) return;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    exchange.outcome = { status, bytes };
    const sent = [...headers, 'x-request-id', exchange.id];
    if (status !== 204 && status !== 304) sent.push('content-length', String(bytes));
    if (this.#options.readiness.draining) sent.push('connection', 'close');
    exchange.response.writeHead(status, phrase ?? STATUS_CODES[status] ?? '', sent);
    exchange.response.end(body);
  }

  #end(exchange: Exchange): void {
    const { metrics, tracing, debug, log } = this.#options;
    const { method, endpoint, path, request } = exchange;
    if (!exchange.response.writableFinished) exchange.error ??= 'the client went away';
    exchange.outcome ??= { status: CLIENT_CLOSED_REQUEST, bytes: 0 };
    const { status, bytes } = exchange.outcome;
    const route = endpoint?.route;
    const ms = performance.now() - exchange.startedAt;
    metrics?.observe({ method, route, status, ms });
    tracing?.end(request, { method, route, status, ms });
    // Probes come every few seconds and say nothing while all is well.
    if (status === 200 && (route === '/livez' || route === '/readyz') && !debug) return;
    const { id: request_id, error } = exchange;
    const ip = request.socket.remoteAddress;
    log.request({ request_id, method, route, path, status, ms, bytes, ip, error });
  }
}

function reasonOf(fault: HttpFault): string {
  return fault.cause instanceof Error
    ? `${fault.message}: ${fault.cause.message}`.slice(0, 300)
    : fault.message;
}

/** Nothing handles that: another method of a known path, OPTIONS, or no endpoint at all. */
function answerOther({ method, target, endpoint }: Exchange): Answer {
  const allow = target === '*' ? ALL_METHODS : endpoint?.allow;
  if (allow === undefined) throw new HttpFault(404, 'Unknown Endpoint');
  if (method === 'OPTIONS') return { status: 204, headers: ['allow', allow], body: '' };
  throw new HttpFault(405, 'Method Not Allowed', { headers: { allow } });
}
