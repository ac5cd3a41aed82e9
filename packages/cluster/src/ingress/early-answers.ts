import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { BlockList } from 'node:net';
import type { Secret } from '../kinds/core.ts';
import { isAuthorized } from './credentials.ts';
import { addressOf, hostOf, isSecure, pathOf, queryOf } from './headers.ts';
import type { Headers } from './headers.ts';
import type { RateLimit } from './rate-limit.ts';
import type { BasicAuth, Cors, RouteSettings } from './settings.ts';

/** An answer that no pod is asked for. */
export interface EarlyAnswer {
  readonly code: number;
  readonly why?: string;
  readonly headers?: Headers;
}

export interface Gatekeeper {
  /** Does an Ingress ask for TLS for this host? */
  readonly hasTls: (host: string) => boolean;
  readonly tlsPort: () => number;
  readonly secretOf: (auth: BasicAuth) => Secret | undefined;
  readonly limits: RateLimit;
}

const STANDARD_TLS_PORT = 443;

type Gate = (
  request: IncomingMessage,
  settings: RouteSettings,
  keeper: Gatekeeper,
) => EarlyAnswer | undefined;

/** In the order in which nginx asks: what redirects comes before what refuses. */
const GATES: readonly Gate[] = [
  toTls,
  redirected,
  fromElsewhere,
  tooOften,
  preflight,
  unauthorized,
  tooLarge,
  unreachable,
];

/** What a route's settings answer by themselves; undefined: a pod has to be asked. */
export function earlyAnswer(...[request, settings, keeper]: Parameters<Gate>): EarlyAnswer | undefined {
  for (const gate of GATES) {
    const answer = gate(request, settings, keeper);
    if (answer) return answer;
  }
  return undefined;
}

function toTls(...[request, settings, keeper]: Parameters<Gate>): EarlyAnswer | undefined {
  if (isSecure(request)) return undefined;
  const host = hostOf(request);
  const wanted = settings.forceSslRedirect || (settings.sslRedirect && keeper.hasTls(host));
  if (!wanted || host === '') return undefined;
  const port = keeper.tlsPort();
  const place = port === STANDARD_TLS_PORT ? host : `${host}:${port}`;
  return { code: 308, headers: { location: `https://${place}${pathOf(request)}${queryOf(request)}` } };
}

function redirected(request: IncomingMessage, { redirect, appRoot }: RouteSettings): EarlyAnswer | undefined {
  if (redirect) return { code: redirect.code, headers: { location: withRequest(redirect.to, request) } };
  return appRoot !== undefined && pathOf(request) === '/'
    ? { code: 302, headers: { location: appRoot } }
    : undefined;
}

/** The variables of nginx that redirects are written with. */
function withRequest(target: string, request: IncomingMessage): string {
  return target
    .replaceAll('$request_uri', `${pathOf(request)}${queryOf(request)}`)
    .replaceAll('$host', hostOf(request))
    .replaceAll('$scheme', isSecure(request) ? 'https' : 'http');
}

function fromElsewhere(
  request: IncomingMessage,
  { allowed, denied }: RouteSettings,
): EarlyAnswer | undefined {
  const address = addressOf(request);
  if (denied && contains(denied, address)) return { code: 403, why: 'this address may not come here' };
  if (allowed && !contains(allowed, address)) return { code: 403, why: 'this address may not come here' };
  return undefined;
}

const contains = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

function tooOften(...[request, { limit }, { limits }]: Parameters<Gate>): EarlyAnswer | undefined {
  if (!limit || limits.admits(`${hostOf(request)} ${addressOf(request)}`, limit)) return undefined;
  return { code: 503, why: 'too many requests from this address' };
}

function preflight(request: IncomingMessage, { cors }: RouteSettings): EarlyAnswer | undefined {
  if (!cors || request.method !== 'OPTIONS') return undefined;
  return {
    code: 204,
    headers: { ...corsHeaders(request, cors), 'access-control-max-age': String(cors.maxAgeSeconds) },
  };
}

/** What a browser has to be told so that pages of other origins may read the answer. */
export function corsHeaders(request: IncomingMessage, cors: Cors): Headers {
  const { origin } = request.headers;
  const any = cors.origins.includes('*');
  const named = origin !== undefined && cors.origins.some((pattern) => isOrigin(pattern, origin));
  if (!any && !named) return {};
  return {
    'access-control-allow-origin': any ? '*' : (origin ?? ''),
    ...(any ? {} : { vary: 'Origin' }),
    'access-control-allow-methods': cors.methods,
    'access-control-allow-headers': cors.headers,
    ...(cors.credentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(cors.exposed === '' ? {} : { 'access-control-expose-headers': cors.exposed }),
  };
}

/** `https://*.example.org` stands for each of its subdomains. */
function isOrigin(pattern: string, origin: string): boolean {
  const [before = '', after] = pattern.split('*', 2);
  if (after === undefined) return pattern === origin;
  const middle = origin.slice(before.length, origin.length - after.length);
  return origin.startsWith(before) && origin.endsWith(after) && /^[\w-]+$/.test(middle);
}

function unauthorized(...[request, { basicAuth }, keeper]: Parameters<Gate>): EarlyAnswer | undefined {
  if (!basicAuth) return undefined;
  const { authorization } = request.headers;
  if (isAuthorized(authorization, basicAuth, keeper.secretOf(basicAuth))) return undefined;
  const realm = basicAuth.realm.replaceAll(/["\\]/g, '');
  return {
    code: 401,
    why: 'name and password, please',
    headers: { 'www-authenticate': `Basic realm="${realm}"` },
  };
}

function tooLarge(request: IncomingMessage, { maxBodyBytes }: RouteSettings): EarlyAnswer | undefined {
  const length = Number(request.headers['content-length'] ?? 0);
  return maxBodyBytes !== undefined && length > maxBodyBytes ? BODY_TOO_LARGE : undefined;
}

export const BODY_TOO_LARGE: EarlyAnswer = { code: 413, why: 'this route takes no bodies of that size' };

function unreachable(_request: IncomingMessage, { protocol }: RouteSettings): EarlyAnswer | undefined {
  if (protocol !== 'unsupported') return undefined;
  return { code: 501, why: 'the protocol of the pods behind this address is not supported' };
}
