import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import type { Clock } from '@updraft/kit';
import type { Target } from '../controllers/endpoints/targets.ts';
import { preferred, stayWith } from './affinity.ts';
import { cut, headText, join, passBack, say, sayOnSocket } from './answer.ts';
import { BODY_TOO_LARGE, corsHeaders, earlyAnswer } from './early-answers.ts';
import type { EarlyAnswer, Gatekeeper } from './early-answers.ts';
import { forwardHeaders, hasBody, hostOf, pathOf, queryOf } from './headers.ts';
import type { Headers } from './headers.ts';
import type { PathPattern } from './path-pattern.ts';
import { RateLimit } from './rate-limit.ts';
import type { RouteSettings } from './settings.ts';
import { Upstream } from './upstream.ts';
import type { Attempt, Failure, Sending } from './upstream.ts';

/** Where a request goes and what has to be kept in mind on the way. */
export interface Destination {
  readonly settings: RouteSettings;
  /** To be tried in this order. Empty: nobody is there. */
  readonly targets: readonly Target[];
  readonly pattern?: PathPattern | undefined;
}

export interface ProxyOptions extends Omit<Gatekeeper, 'limits'> {
  readonly clock: Clock;
  /** See Backends.find. */
  readonly find: (host: string, path: string) => Destination | undefined;
}

/** Doing them twice is the same as doing them once. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const NO_ROUTE: EarlyAnswer = { code: 404, why: 'no ingress serves this host and path' };
const NOBODY: EarlyAnswer = {
  code: 503,
  why: 'no pod behind this address is ready',
  headers: { 'retry-after': '1' },
};
const FAILURES: Readonly<Record<Failure, EarlyAnswer>> = {
  timeout: { code: 504, why: 'the pod did not answer in time' },
  unreachable: { code: 502, why: 'no pod behind this address can be reached' },
  broken: { code: 502, why: 'the pod broke the connection off' },
  tooLarge: BODY_TOO_LARGE,
};

/**
 * Passes requests on. A target that cannot be reached is skipped for the next one, since nothing was sent; after that a
 * request is sent again only as `Upstream.send` says.
 */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #keeper: Gatekeeper;
  readonly #upstream: Upstream;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#keeper = { ...options, limits: new RateLimit(options.clock) };
    this.#upstream = new Upstream(options.clock);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    void this.#answer(request, response).catch(() => cut(response));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    void this.#switch(request, socket, head).catch(() => socket.destroy());
  }

  /** Closes idle connections to whoever is no longer to be asked. */
  forget(living: ReadonlySet<string>): void {
    this.#upstream.forget(living);
  }

  close(): void {
    this.#upstream.close();
  }

  #destination(request: IncomingMessage): Destination | EarlyAnswer {
    const destination = this.#options.find(hostOf(request), pathOf(request));
    if (!destination) return NO_ROUTE;
    const early = earlyAnswer(request, destination.settings, this.#keeper);
    return early ?? (destination.targets.length === 0 ? NOBODY : destination);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const destination = this.#destination(request);
    if ('code' in destination) return say(request, response, destination);
    const { settings } = destination;
    const outcome = await this.#tryAll(request, destination, {
      repeatable: REPEATABLE.has(request.method ?? '') && !hasBody(request),
      headers: forwardHeaders(request),
      onBody: () => {
        if (request.headers.expect !== undefined) response.writeContinue();
      },
      onAbandoned: (stop) => void response.once('close', stop),
    });
    if (outcome.kind === 'answered') {
      return passBack(outcome.response, response, addedHeaders(request, settings, outcome.target));
    }
    if (outcome.kind !== 'upgraded') return say(request, response, FAILURES[outcome.kind]);
    // Nobody asked for it.
    outcome.socket.destroy();
    say(request, response, FAILURES.broken);
  }

  async #switch(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const destination = this.#destination(request);
    if ('code' in destination) return sayOnSocket(seenOff(client, this.#options.clock), destination);
    const upgrade = request.headers.upgrade ?? '';
    const outcome = await this.#tryAll(request, destination, {
      repeatable: true,
      headers: { ...forwardHeaders(request), connection: 'Upgrade', upgrade },
      onBody: () => undefined,
      onAbandoned: (stop) => void client.once('close', stop),
    });
    const added = 'target' in outcome ? addedHeaders(request, destination.settings, outcome.target) : {};
    if (outcome.kind === 'upgraded') return join(outcome, client, head, added);
    seenOff(client, this.#options.clock);
    if (outcome.kind !== 'answered') return sayOnSocket(client, FAILURES[outcome.kind]);
    client.write(headText(outcome.response, { ...added, connection: 'close' }));
    pipeline(outcome.response, client, () => undefined);
  }

  async #tryAll(
    request: IncomingMessage,
    { settings, targets, pattern }: Destination,
    parts: Pick<Sending, 'repeatable' | 'headers' | 'onBody' | 'onAbandoned'>,
  ): Promise<Attempt> {
    const sending: Sending = {
      ...parts,
      request,
      settings,
      path: pathFor(request, settings, pattern),
      headers: { ...parts.headers, ...headersFor(settings) },
    };
    const order = settings.affinity ? preferred(targets, request, settings.affinity) : targets;
    let outcome: Attempt = { kind: 'unreachable' };
    for (const target of order) {
      outcome = await this.#upstream.send(target, sending);
      if (outcome.kind !== 'unreachable') return outcome;
    }
    return outcome;
  }
}

/** What the pod is asked for. */
function pathFor(
  request: IncomingMessage,
  settings: RouteSettings,
  pattern: PathPattern | undefined,
): string {
  const { rewriteTarget } = settings;
  const asked = pathOf(request);
  const query = queryOf(request);
  if (rewriteTarget === undefined) return `${asked}${query}`;
  const path = pattern ? (pattern.rewrite(asked, rewriteTarget) ?? asked) : rewriteTarget;
  const rooted = path.startsWith('/') ? path : `/${path}`;
  if (query === '') return rooted;
  return rooted.includes('?') ? `${rooted}&${query.slice(1)}` : `${rooted}${query}`;
}

function headersFor({ upstreamHost, forwardedPrefix }: RouteSettings): Headers {
  return {
    ...(upstreamHost === undefined ? {} : { host: upstreamHost }),
    ...(forwardedPrefix === undefined ? {} : { 'x-forwarded-prefix': forwardedPrefix }),
  };
}

/** What the client is told beside what the pod says. */
function addedHeaders(request: IncomingMessage, { affinity, cors }: RouteSettings, target: Target): Headers {
  const cookie = affinity && stayWith(target, request, affinity);
  return {
    ...(cors ? corsHeaders(request, cors) : {}),
    ...(cookie === undefined ? {} : { 'set-cookie': cookie }),
  };
}

const LINGER_MS = 5000;

/** A client whose answer is its last: who is not read from is never seen to go, and who does not go is sent away. */
function seenOff(client: Duplex, clock: Clock): Duplex {
  client.once('finish', () => {
    client.once(
      'close',
      clock.timer(LINGER_MS, () => client.destroy()),
    );
  });
  return client.resume();
}
