import http from 'node:http';
import https from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Target } from '../controllers/endpoints/targets.ts';
import type { Headers } from './headers.ts';
import type { RouteSettings } from './settings.ts';

export type Failure = 'unreachable' | 'timeout' | 'broken' | 'tooLarge';

export interface Upgraded {
  readonly kind: 'upgraded';
  readonly target: Target;
  readonly response: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export type Attempt =
  | { readonly kind: 'answered'; readonly target: Target; readonly response: IncomingMessage }
  | Upgraded
  | { readonly kind: Failure };

/** One request, as it is to be sent to whichever pod. */
export interface Sending {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly headers: Headers;
  readonly settings: RouteSettings;
  /** It may be sent twice: it has no body, and doing it twice is the same as doing it once. */
  readonly repeatable: boolean;
  /** Called when the body is about to be read. */
  readonly onBody: () => void;
  /** Hears of the client's going away, which ends the attempt. */
  readonly onAbandoned: (stop: () => void) => void;
}

const IDLE_SOCKETS = 32;

/** Connections to the pods. */
export class Upstream {
  readonly #clock: Clock;
  readonly #agents = {
    http: new http.Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, scheduling: 'fifo' }),
    // As nginx does unless it is told otherwise: a pod's certificate is its own.
    https: new https.Agent({
      keepAlive: true,
      maxFreeSockets: IDLE_SOCKETS,
      scheduling: 'fifo',
      rejectUnauthorized: false,
    }),
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sends to one target. A request that may be repeated is sent again on a fresh connection when an idle one broke under
   * it; everything else gets a fresh connection, so that no idle one can break under it.
   */
  async send(target: Target, sending: Sending): Promise<Attempt> {
    const outcome = await this.#sendOnce(target, sending, sending.repeatable);
    if (outcome.kind !== 'broken' || !sending.repeatable || sending.request.destroyed) return outcome;
    return this.#sendOnce(target, sending, false);
  }

  /** Closes idle connections to whoever is no longer to be asked. */
  forget(living: ReadonlySet<string>): void {
    const idle = Object.values(this.#agents).flatMap(({ freeSockets }) => Object.entries(freeSockets));
    for (const [name, sockets] of idle) {
      const [host = '', port = ''] = name.split(':');
      if (!living.has(`${host}:${port}`)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #sendOnce(target: Target, sending: Sending, pooled: boolean): Promise<Attempt> {
    return new Promise((resolve) => {
      const { settings } = sending;
      const upstream = this.#open(target, sending, pooled);
      let sent = false;
      const connecting = this.#clock.timer(settings.connectTimeoutMs, () => upstream.destroy());
      onConnected(upstream, () => {
        connecting();
        sent = true;
        if (sending.repeatable) return void upstream.end();
        // The body is touched only now: until here the request can go to another target whole.
        sendBody(sending, upstream, () => resolve({ kind: 'tooLarge' }));
      });
      upstream.setTimeout(settings.readTimeoutMs, () => {
        resolve({ kind: 'timeout' });
        upstream.destroy();
      });
      upstream.once('response', (response) => resolve({ kind: 'answered', target, response }));
      upstream.once('upgrade', (response, socket, head) =>
        resolve({ kind: 'upgraded', target, response, socket, head }),
      );
      upstream.on('error', (error) => {
        connecting();
        resolve({ kind: sent && codeOf(error) !== 'ECONNREFUSED' ? 'broken' : 'unreachable' });
      });
      sending.onAbandoned(() => upstream.destroy());
    });
  }

  #open(target: Target, { request, path, headers, settings }: Sending, pooled: boolean): ClientRequest {
    const isHttps = settings.protocol === 'https';
    const options = {
      host: target.address,
      port: target.port,
      method: request.method,
      path,
      headers,
      setHost: false,
      agent: pooled ? this.#agents[isHttps ? 'https' : 'http'] : false,
    };
    return isHttps ? https.request({ ...options, rejectUnauthorized: false }) : http.request(options);
  }
}

function sendBody({ request, settings, onBody }: Sending, upstream: ClientRequest, refuse: () => void): void {
  const { maxBodyBytes, sendTimeoutMs, readTimeoutMs } = settings;
  onBody();
  upstream.setTimeout(sendTimeoutMs);
  upstream.once('finish', () => upstream.setTimeout(readTimeoutMs));
  if (maxBodyBytes !== undefined) {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) return;
      refuse();
      upstream.destroy();
    });
  }
  // Not `pipeline`: it would take the client's connection down with the pod's, and with it the answer.
  request.pipe(upstream);
}

function onConnected(request: ClientRequest, act: () => void): void {
  request.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', act);
    else act();
  });
}
