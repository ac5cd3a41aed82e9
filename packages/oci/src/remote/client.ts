import { systemClock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Readable } from 'node:stream';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { OciFault } from '../faults.ts';
import { isRecord } from '../json.ts';
import type { Reference, TransferOptions } from '../types.ts';
import { parseChallenge } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import { Connections } from './connections.ts';
import type { ConnectionOptions } from './connections.ts';
import { SignedInAgain, StatusError, faultOf, retryDelayMs, statusError } from './failures.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
export type RemoteResponse = Dispatcher.ResponseData;

export interface RemoteRequest {
  readonly method: Method;
  /** Below `/v2/REPOSITORY/`, or a whole URL that the registry gave. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
}

export interface ClientOptions extends TransferOptions, ConnectionOptions {
  /** For tests; waits between tries are taken from it. */
  readonly clock?: Clock;
  /**
   * Registries to pull from before the one that is named: `[http://]host[:port][/path]`. They get no credentials, and
   * what they cannot give is asked of the next.
   */
  readonly mirrors?: readonly string[];
  /** The registry itself is not asked when there are mirrors. */
  readonly mirrorsOnly?: boolean;
}

/** Where a repository is, and what is to be done there. */
export interface RemoteTarget {
  /** The registry as the user knows it. */
  readonly registry: string;
  /** `https://host/v2/repository/` */
  readonly base: URL;
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
  /** Other repositories there that are to be read from. */
  readonly sources?: readonly string[];
  /** Nothing is to be done there but to sign in. */
  readonly isRoot?: boolean;
}

const ATTEMPTS = 4;
const MAX_REDIRECTS = 5;
const TOKEN_BYTES = 256 * 1024;

/** Where a reference leads. */
export function targetOf(
  { registry, repository }: Reference,
  actions: RemoteTarget['actions'],
  insecure = false,
): RemoteTarget {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const base = new URL(`${insecure ? 'http' : 'https'}://${host}/v2/${repository}/`);
  return { registry, base, repository, actions };
}

/** One repository of a remote registry: requests with credentials, redirects and further tries. */
export class RemoteRepository {
  readonly registry: string;
  readonly #target: RemoteTarget;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #connections: Connections;
  #authorization: string | undefined;

  constructor(target: RemoteTarget, options: ClientOptions) {
    this.registry = target.registry;
    this.#target = target;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#connections = new Connections(options);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** An address that the registry gave, relative to where we talk to it. */
  resolve(location: string): URL {
    return new URL(location, this.#target.base);
  }

  /** An answer with a good status; further tries for those that may help. `what` is for the message of a fault. */
  async send(sent: RemoteRequest, what: string): Promise<RemoteResponse> {
    return await this.retrying(what, () => this.once(sent));
  }

  /** Runs `work` until it succeeds or no further try makes sense. Faults are in our words then. */
  async retrying<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        await this.pause(error, attempt, what);
      }
    }
  }

  /** Waits as long as makes sense before the next try. @throws what the error means when there is no sense in one */
  async pause(error: unknown, attempt: number, what: string): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const delayMs = attempt + 1 < ATTEMPTS ? retryDelayMs(error, attempt, this.#clock.now()) : undefined;
    if (delayMs === undefined) throw faultOf(error, what, this.registry);
    await this.#clock.sleep(delayMs, this.#options.signal);
  }

  /** One try: signs in when asked to, follows redirects. @throws StatusError for statuses that are not good */
  async once(sent: RemoteRequest): Promise<RemoteResponse> {
    const url = new URL(sent.path, this.#target.base);
    const used = this.#authorization;
    let response = await this.#follow(sent, url);
    if (response.statusCode === 401 && (await this.#signIn(response, used))) {
      await response.body.dump();
      // What is sent as a stream is gone: whoever made it has to make it again.
      if (isStream(sent.body)) throw new SignedInAgain();
      response = await this.#follow(sent, url);
    }
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    throw await statusError(response);
  }

  async #follow(sent: RemoteRequest, start: URL): Promise<RemoteResponse> {
    let url = start;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#request(sent, url);
      const { location } = response.headers;
      const moved = [301, 302, 303, 307, 308].includes(response.statusCode) && typeof location === 'string';
      if (!moved || isStream(sent.body)) return response;
      await response.body.dump();
      if (redirects >= MAX_REDIRECTS)
        throw new OciFault('REGISTRY_FAILED', `${this.registry} redirects in circles`);
      url = new URL(location, url);
    }
  }

  async #request({ method, headers, body }: RemoteRequest, url: URL): Promise<RemoteResponse> {
    this.#checkUrl(url);
    const { signal } = this.#options;
    // Credentials are for the registry; where it sends us for the bytes they are nobody's business.
    const mine = url.origin === this.#target.base.origin && this.#authorization !== undefined;
    return await request(url, {
      method,
      dispatcher: this.#connections.to(url),
      headers: { 'user-agent': 'updraft', ...headers, ...(mine && { authorization: this.#authorization }) },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  }

  /** What was to go over TLS stays there. */
  #checkUrl(url: URL): void {
    const mayBePlain = this.#target.base.protocol === 'http:';
    if (url.protocol === 'https:' || (url.protocol === 'http:' && mayBePlain)) return;
    throw new OciFault(
      'REGISTRY_FAILED',
      `${this.registry} leads to an address that is not safe: ${url.origin}`,
    );
  }

  /** True when there is something else to try than what was `used`. */
  async #signIn(response: RemoteResponse, used: string | undefined): Promise<boolean> {
    // Another request may have signed in meanwhile.
    if (this.#authorization !== used) return true;
    const challenge = parseChallenge(response.headers['www-authenticate']);
    const { credentials } = this.#options;
    if (challenge?.scheme === 'bearer') this.#authorization = `Bearer ${await this.#token(challenge)}`;
    else if (challenge?.scheme === 'basic' && credentials) this.#authorization = basic(credentials);
    return this.#authorization !== used;
  }

  async #token(challenge: Extract<Challenge, { scheme: 'bearer' }>): Promise<string> {
    const url = new URL(challenge.realm, this.#target.base);
    this.#checkUrl(url);
    if (challenge.service) url.searchParams.set('service', challenge.service);
    for (const scope of this.#scopes()) url.searchParams.append('scope', scope);
    const { credentials, signal } = this.#options;
    const response = await request(url, {
      dispatcher: this.#connections.to(url),
      headers: { 'user-agent': 'updraft', ...(credentials && { authorization: basic(credentials) }) },
      ...(signal && { signal }),
    });
    if (response.statusCode !== 200) throw await statusError(response);
    const answer: unknown = JSON.parse((await readLimited(response, TOKEN_BYTES)).toString('utf8'));
    const token = isRecord(answer) ? (answer['token'] ?? answer['access_token']) : undefined;
    if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
    throw new StatusError(401, 'the token server gave no token');
  }

  #scopes(): readonly string[] {
    const { repository, actions, sources = [], isRoot } = this.#target;
    if (isRoot) return [];
    return [`repository:${repository}:${actions}`, ...sources.map((source) => `repository:${source}:pull`)];
  }
}

/** @throws OciFault REGISTRY_FAILED when the body is larger than `limit` */
export async function readLimited(response: RemoteResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new OciFault('REGISTRY_FAILED', `an answer is larger than the ${limit} bytes it may have`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function isStream(body: Buffer | Readable | undefined): boolean {
  return body !== undefined && !Buffer.isBuffer(body);
}
