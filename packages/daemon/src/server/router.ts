import type { IncomingMessage, ServerResponse } from 'node:http';
import { Fault, codeOf, messageOf } from '@updraft/kit';
import { isUsersFault } from '@updraft/control';
import type { Logger } from '@updraft/kit';
import type { FaultView, ProblemView, RouteName, Routes } from '@updraft/control';

/** The caller is to blame: answered with 4xx. */
export class RequestError extends Fault {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly problems: readonly ProblemView[];

  constructor(
    status: number,
    code: string,
    message: string,
    options: { next?: string; problems?: readonly ProblemView[] } = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.problems = options.problems ?? [];
  }
}

export interface Call<R extends RouteName> {
  readonly body: Routes[R]['request'];
  readonly path: Readonly<Record<string, string>>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

type Response<R extends RouteName> = Routes[R] extends { stream: true }
  ? AsyncIterable<Routes[R]['response']>
  : Promise<Routes[R]['response']>;

export type Handlers = { readonly [R in RouteName]: (call: Call<R>) => Response<R> };

interface Match {
  readonly route: RouteName;
  readonly path: Readonly<Record<string, string>>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** HTTP in, handlers called, JSON or NDJSON out. What a handler throws becomes a FaultView. */
export function createHandler(
  handlers: Handlers,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const routes = Object.keys(handlers) as RouteName[];
  return (request, response) => {
    void answer({ handlers, routes, logger }, request, response).catch((error: unknown) => {
      logger.log('error', 'an answer could not be sent', { error });
      response.destroy();
    });
  };
}

interface Server {
  readonly handlers: Handlers;
  readonly routes: readonly RouteName[];
  readonly logger: Logger;
}

async function answer(server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const match = findRoute(server.routes, request.method ?? 'GET', request.url ?? '/');
    if (!match) throw new RequestError(404, 'NO_SUCH_ROUTE', `no route ${request.method} ${request.url}`);
    const controller = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new Error('the client went away'));
    });
    const body = await readBody(request);
    const handler = server.handlers[match.route] as (
      call: unknown,
    ) => Promise<unknown> | AsyncIterable<unknown>;
    const result = handler({ body, path: match.path, signal: controller.signal });
    if (isStream(result)) await sendStream(response, result);
    else sendJson(response, 200, await result);
  } catch (error) {
    sendFault(server.logger, response, error);
  }
}

function findRoute(routes: readonly RouteName[], method: string, url: string): Match | undefined {
  const parts = (url.split('?')[0] ?? '').split('/');
  for (const route of routes) {
    const [verb = '', template = ''] = route.split(' ');
    const names = template.split('/');
    if (verb !== method || names.length !== parts.length) continue;
    const path: Record<string, string> = {};
    const fits = names.every((name, index) => {
      const part = parts[index] ?? '';
      if (!name.startsWith('{')) return name === part;
      path[name.slice(1, -1)] = decodeURIComponent(part);
      return true;
    });
    if (fits) return { route, path };
  }
  return undefined;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RequestError(413, 'BODY_TOO_LARGE', 'the request is too large');
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new RequestError(400, 'BODY_NOT_JSON', `the request is not JSON: ${messageOf(error)}`);
  }
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** The status line waits for the first value, so that a fault before it still gets its own status. */
async function sendStream(response: ServerResponse, values: AsyncIterable<unknown>): Promise<void> {
  for await (const value of values) {
    if (response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(value)}\n`);
  }
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end();
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  return isUsersFault(codeOf(error)) ? 400 : 500;
}

function sendFault(logger: Logger, response: ServerResponse, error: unknown): void {
  const status = statusOf(error);
  if (!(error instanceof Fault)) {
    logger.log('error', 'unexpected', { error, stack: error instanceof Error ? error.stack : undefined });
  }
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const problems = error instanceof RequestError ? error.problems : [];
  const view: FaultView = {
    code: codeOf(error) ?? 'UNEXPECTED',
    message: messageOf(error),
    next: error instanceof Fault ? error.next : undefined,
    ...(problems.length === 0 ? {} : { problems }),
  };
  sendJson(response, status, view);
}
