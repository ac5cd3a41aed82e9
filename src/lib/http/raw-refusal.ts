import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import { ALL_METHODS, findEndpoint, pathOf } from './endpoints.ts';
import { JSON_TYPE, errorBody } from './error-body.ts';
import type { Exchange } from './exchange.ts';
import { requestIdOf } from './request-id.ts';

interface ParserError extends Error {
  code?: string;
  rawPacket?: unknown;
}

interface RequestLine {
  readonly method: string;
  readonly uri: string;
}

interface Refusal {
  readonly fault: HttpFault;
  readonly requestId: string;
}

/** What the parser choked on, as far as it can be read. */
function requestLineOf(rawPacket: unknown): RequestLine {
  const head = Buffer.isBuffer(rawPacket) ? rawPacket.subarray(0, 2048).toString('latin1') : '';
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) (\S*)/.exec(head);
  return match === null ? { method: '', uri: '' } : { method: match[1] ?? '', uri: pathOf(match[2] ?? '') };
}

function faultOf(error: ParserError, line: RequestLine): HttpFault {
  const cause = error;
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new HttpFault(431, 'Request Header Fields Too Large', { cause });
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HttpFault(408, 'Request Timeout', { cause });
  if (error.code === 'HPE_INVALID_METHOD' && line.method !== '') {
    const allow = findEndpoint(line.uri)?.allow ?? ALL_METHODS;
    return new HttpFault(405, 'Method Not Allowed', { headers: { allow }, cause });
  }
  return new HttpFault(400, 'Bad Request', { cause });
}

/** How long a client that was refused may keep its end of the connection open. */
const LINGER_MS = 2000;

/**
 * Answers what never becomes a request (broken HTTP, headers too long, CONNECT) or breaks off in the middle of one
 * (too slow, a broken chunk) in the same form as every other error, and logs it like one.
 */
export class RawRefusals {
  readonly #log: ServiceLog;
  readonly #debug: boolean;
  /** The latest exchange of each connection: a broken body belongs to it. */
  readonly #latest = new WeakMap<Duplex, Exchange>();

  constructor(server: Server, options: { log: ServiceLog; debug: boolean }) {
    this.#log = options.log;
    this.#debug = options.debug;
    server.on('clientError', this.#onClientError);
    server.on('connect', ({ url = '', headers }: IncomingMessage, socket: Duplex) => {
      const fault = new HttpFault(405, 'Method Not Allowed', { headers: { allow: ALL_METHODS } });
      this.#refuse(socket, { method: 'CONNECT', uri: url }, { fault, requestId: requestIdOf(headers) });
    });
  }

  /** Every exchange has to be shown here when it begins. */
  watch(exchange: Exchange): void {
    this.#latest.set(exchange.request.socket, exchange);
  }

  readonly #onClientError = (error: ParserError, socket: Duplex): void => {
    const latest = this.#latest.get(socket);
    const unfinished = latest?.request.complete === false ? latest : undefined;
    if (error.code === 'ECONNRESET' || !socket.writable || unfinished?.response.headersSent === true) {
      socket.destroy();
      return;
    }
    if (unfinished === undefined) {
      const line = requestLineOf(error.rawPacket);
      this.#refuse(socket, line, { fault: faultOf(error, line), requestId: requestIdOf({}) });
    } else this.#breakOff(socket, unfinished, error);
  };

  /** The exchange itself tells the log when its connection is gone. */
  #breakOff(socket: Duplex, exchange: Exchange, error: ParserError): void {
    const line = { method: exchange.method, uri: exchange.path };
    const fault = faultOf(error, line);
    exchange.error ??= reasonOf(fault, line);
    exchange.outcome ??= { status: fault.status, bytes: 0 };
    this.#answer(socket, line, { fault, requestId: exchange.id });
  }

  #refuse(socket: Duplex, line: RequestLine, refusal: Refusal): void {
    this.#answer(socket, line, refusal);
    this.#log.request({
      request_id: refusal.requestId,
      method: line.method,
      route: findEndpoint(line.uri)?.route,
      path: line.uri,
      status: refusal.fault.status,
      ms: 0,
      bytes: 0,
      ip: socket instanceof Socket ? socket.remoteAddress : undefined,
      error: reasonOf(refusal.fault, line),
    });
  }

  #answer(socket: Duplex, line: RequestLine, { fault, requestId }: Refusal): void {
    const body = JSON.stringify(errorBody(line, fault, this.#debug));
    const headers = {
      'Content-Type': JSON_TYPE,
      'Content-Length': String(Buffer.byteLength(body)),
      'X-Request-Id': requestId,
      ...fault.headers,
      Connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${fault.status} ${fault.message}\r\n${lines.join('')}\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

function reasonOf({ status, cause }: HttpFault, { method }: RequestLine): string {
  return `${STATUS_CODES[status] ?? ''}: ${cause instanceof Error ? cause.message : method}`;
}
