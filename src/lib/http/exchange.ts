import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Soon } from '../soon.ts';
import { findEndpoint, pathOf, type Endpoint } from './endpoints.ts';
import { requestIdOf } from './request-id.ts';

/** What is sent. It belongs to nobody: the same answer may be sent many times. */
export interface Answer {
  readonly status: number;
  /** Absent: the status's own. */
  readonly phrase?: string;
  /** Names and values in turn, as node:http takes them without another look. */
  readonly headers: readonly string[];
  readonly body: string | Buffer;
}

/** @throws HttpFault for a refusal; whatever else it throws is a failure of the service's own */
export type Handler = (exchange: Exchange) => Soon<Answer>;

/** By route and method. GET is also asked for HEAD. */
export type Handlers = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** How a request ended. */
interface Outcome {
  readonly status: number;
  readonly bytes: number;
}

/** A request, what was found out about it once, and how it ended. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly id: string;
  /** As it was sent, with the query. */
  readonly target: string;
  readonly path: string;
  readonly endpoint: Endpoint | undefined;
  readonly startedAt = performance.now();
  /** For the log alone: why it was refused or failed. */
  error: string | undefined;
  /** Set once, by whoever answers first; nobody else answers then. */
  outcome: Outcome | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.method = request.method ?? '';
    this.id = requestIdOf(request.headers);
    this.target = request.url ?? '';
    this.path = pathOf(this.target);
    this.endpoint = findEndpoint(this.path);
  }

  /** The part of the path that names an entry: `/addresses/<this>`, with or without a slash at its end. */
  get entryId(): string {
    const end = this.path.endsWith('/') ? -1 : this.path.length;
    return this.path.slice('/addresses/'.length, end);
  }
}
