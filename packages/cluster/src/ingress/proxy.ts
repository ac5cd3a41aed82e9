import http from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Target } from '../controllers/endpoints/targets.ts';
import { endToEnd, forwardHeaders, hostOf, pathOf } from './headers.ts';
import type { Headers } from './headers.ts';

export interface ProxyOptions {
  readonly clock: Clock;
  /** See Backends.find. */
  readonly find: (host: string, path: string) => readonly Target[] | undefined;
}

const CONNECT_TIMEOUT_MS = 5000;
const ANSWER_TIMEOUT_MS = 60_000;
const IDLE_SOCKETS = 32;
/** Doing them twice is the same as doing them once. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

type Failure = 'unreachable' | 'timeout' | 'broken';
type Attempt =
  | { readonly kind: 'answered'; readonly response: IncomingMessage }
  | Upgraded
  | { readonly kind: Failure };
interface Upgraded {
  readonly kind: 'upgraded';
  readonly response: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Passes requests on. A target that cannot be reached is skipped for the next one, since nothing was sent; after that a
 * request is sent again only when it has no body, may be repeated, and an idle connection broke under it.
 * Everything else gets a fresh connection, so that no idle connection can break under it.
 */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, scheduling: 'fifo' });

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    void this.#answer(request, response).catch(() => response.destroy());
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    void this.#switch(request, socket, head).catch(() => socket.destroy());
  }

  /** Closes idle connections to whoever is no longer to be asked. */
  forget(living: ReadonlySet<string>): void {
    for (const [name, sockets] of Object.entries(this.#agent.freeSockets)) {
      const [host = '', port = ''] = name.split(':');
      if (!living.has(`${host}:${port}`)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const targets = this.#options.find(hostOf(request), pathOf(request));
    if (!targets) return say(response, 404, 'no ingress serves this host and path');
    if (targets.length === 0) return say(response, 503, 'no pod behind this address is ready');
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const repeatable = REPEATABLE.has(request.method ?? '') && !hasBody;
    const headers = forwardHeaders(request);
    const outcome = await this.#tryAll(targets, (target) =>
      this.#send(target, { request, response, headers, repeatable }),
    );
    if (outcome.kind === 'answered') return passBack(outcome.response, response);
    if (outcome.kind === 'timeout') return say(response, 504, 'the pod did not answer in time');
    if (outcome.kind === 'unreachable')
      return say(response, 502, 'no pod behind this address can be reached');
    say(response, 502, 'the pod broke the connection off');
  }

  async #tryAll(targets: readonly Target[], attempt: (target: Target) => Promise<Attempt>): Promise<Attempt> {
    let outcome: Attempt = { kind: 'unreachable' };
    for (const target of targets) {
      outcome = await attempt(target);
      if (outcome.kind !== 'unreachable') return outcome;
    }
    return outcome;
  }

  async #send(target: Target, parts: Sending): Promise<Attempt> {
    const { request, repeatable } = parts;
    const outcome = await this.#sendOnce(target, parts, repeatable ? this.#agent : false);
    // The pod closed an idle connection just as it was used: ask again on a new one.
    if (outcome.kind !== 'broken' || !repeatable || request.destroyed) return outcome;
    return this.#sendOnce(target, parts, false);
  }

  #sendOnce(target: Target, parts: Sending, agent: http.Agent | false): Promise<Attempt> {
    const { request, headers } = parts;
    return new Promise((resolve) => {
      const upstream = http.request({
        host: target.address,
        port: target.port,
        method: request.method,
        path: request.url,
        headers,
        setHost: false,
        agent,
      });
      let sent = false;
      const connecting = this.#options.clock.timer(CONNECT_TIMEOUT_MS, () => upstream.destroy());
      onConnected(upstream, () => {
        connecting();
        sent = true;
        if (parts.repeatable) upstream.end();
        // The body is touched only now: until here the request can go to another target whole.
        // Not `pipeline`: it would take the client's connection down with the pod's, and with it the answer.
        else request.pipe(upstream);
      });
      upstream.setTimeout(ANSWER_TIMEOUT_MS, () => {
        resolve({ kind: 'timeout' });
        upstream.destroy();
      });
      upstream.once('response', (response) => resolve({ kind: 'answered', response }));
      upstream.once('upgrade', (response, socket, head) =>
        resolve({ kind: 'upgraded', response, socket, head }),
      );
      upstream.on('error', (error) => {
        connecting();
        resolve({ kind: sent && codeOf(error) !== 'ECONNREFUSED' ? 'broken' : 'unreachable' });
      });
      parts.response?.once('close', () => upstream.destroy());
    });
  }

  async #switch(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const targets = this.#options.find(hostOf(request), pathOf(request)) ?? [];
    const headers = {
      ...forwardHeaders(request),
      connection: 'Upgrade',
      upgrade: request.headers.upgrade ?? '',
    };
    const outcome = await this.#tryAll(targets, (target) =>
      this.#sendOnce(target, { request, response: undefined, headers, repeatable: true }, false),
    );
    if (outcome.kind === 'upgraded') return join(outcome, client, head);
    if (outcome.kind === 'answered') {
      client.write(headText(outcome.response, { connection: 'close' }));
      pipeline(outcome.response, client, () => undefined);
      return;
    }
    client.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  }
}

interface Sending {
  readonly request: IncomingMessage;
  /** Its client's going away ends the attempt. */
  readonly response: ServerResponse | undefined;
  readonly headers: Headers;
  readonly repeatable: boolean;
}

function onConnected(request: ClientRequest, act: () => void): void {
  request.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', act);
    else act();
  });
}

function passBack(from: IncomingMessage, response: ServerResponse): void {
  if (response.destroyed) {
    from.destroy();
    return;
  }
  response.writeHead(from.statusCode ?? 502, from.statusMessage ?? '', endToEnd(from.rawHeaders));
  pipeline(from, response, () => undefined);
}

function say(response: ServerResponse, code: number, why: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const text = `${code} ${http.STATUS_CODES[code] ?? ''}: ${why}\n`;
  response.writeHead(code, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(code === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(text);
}

function headText(response: IncomingMessage, extra: Headers): string {
  const headers = { ...endToEnd(response.rawHeaders), ...extra };
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  return [`HTTP/1.1 ${response.statusCode} ${response.statusMessage ?? ''}`, ...lines, '', ''].join('\r\n');
}

function join({ response, socket, head }: Upgraded, client: Duplex, clientHead: Buffer): void {
  socket.on('error', () => client.destroy());
  client.on('error', () => socket.destroy());
  client.write(headText(response, { connection: 'Upgrade', upgrade: response.headers.upgrade ?? '' }));
  if (head.length > 0) client.write(head);
  if (clientHead.length > 0) socket.write(clientHead);
  pipeline(socket, client, () => client.destroy());
  pipeline(client, socket, () => socket.destroy());
}
