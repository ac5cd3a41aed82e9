import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import { ALL_METHODS, findEndpoint, pathOf } from './endpoints.ts';
import { JSON_TYPE, errorBody } from './error-body.ts';
import { requestIdOf } from './request-id.ts';

interface ParserError extends Error {
  code?: string;
  rawPacket?: unknown;
}

interface RequestLine {
  readonly method: string;
  readonly uri: string;
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

function answer(socket: Duplex, fault: HttpFault, body: string, requestId: string): void {
  const headers = {
    'Content-Type': JSON_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    ...fault.headers,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${fault.status} ${fault.message}\r\n${lines.join('')}\r\n${body}`);
}

/**
 * Answers what never becomes a request of the framework (broken HTTP, headers too long, too slow, CONNECT) in the
 * same form as every other error, and logs it like one.
 */
export class RawRefusals {
  readonly #log: ServiceLog;
  readonly #debug: boolean;
  /** The exchange a connection is in the middle of: a broken body belongs to it. */
  readonly #current = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();

  constructor(options: { log: ServiceLog; debug: boolean }) {
    this.#log = options.log;
    this.#debug = options.debug;
  }

  attach(server: Server): void {
    server.prependListener('request', (request, response) => {
      this.#current.set(request.socket, { request, response });
    });
    server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      const line = { method: 'CONNECT', uri: request.url ?? '' };
      this.#refuse(
        socket,
        line,
        new HttpFault(405, 'Method Not Allowed', { headers: { allow: ALL_METHODS } }),
      );
    });
  }

  /** For the server's `clientError`. */
  readonly onClientError = (error: ParserError, socket: Socket): void => {
    const exchange = this.#current.get(socket);
    const unfinished = exchange !== undefined && !exchange.request.complete ? exchange : undefined;
    if (error.code === 'ECONNRESET' || !socket.writable || unfinished?.response.headersSent === true) {
      socket.destroy();
      return;
    }
    const line =
      unfinished === undefined
        ? requestLineOf(error.rawPacket)
        : { method: unfinished.request.method ?? '', uri: pathOf(unfinished.request.url ?? '') };
    this.#refuse(socket, line, faultOf(error, line), unfinished?.request);
  };

  #refuse(socket: Duplex, line: RequestLine, fault: HttpFault, request?: IncomingMessage): void {
    const requestId = requestIdOf(request?.headers ?? {});
    answer(socket, fault, JSON.stringify(errorBody(line, fault, this.#debug)), requestId);
    this.#log.request({
      request_id: requestId,
      method: line.method,
      route: findEndpoint(line.uri)?.route,
      path: line.uri,
      status: fault.status,
      ms: 0,
      bytes: 0,
      ip:
        'remoteAddress' in socket && typeof socket.remoteAddress === 'string'
          ? socket.remoteAddress
          : undefined,
      error: `${STATUS_CODES[fault.status] ?? ''}: ${fault.cause instanceof Error ? fault.cause.message : line.method}`,
    });
  }
}
