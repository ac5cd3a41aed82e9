import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@updraft/kit';
import { identify } from './access.ts';
import { accessRequest } from './authorization/access-request.ts';
import { checkEscalation, demand, isGrant } from './authorization/guard.ts';
import { review } from './authorization/reviews.ts';
import { catalogOf } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import type { Answer, ApiContext, ObjectAnswer } from './context.ts';
import { remove, removeCollection } from './delete.ts';
import { EPHEMERAL } from './admission/validate-ephemeral.ts';
import { aggregated, coreVersions, group, groupList, resourceList } from './discovery.ts';
import { formOf, showList, showObject } from './form.ts';
import { JsonText } from './json-text.ts';
import { logs } from './logs.ts';
import { APPLY, patch } from './patch.ts';
import { relay } from './proxy/relay.ts';
import { Snapshots, list } from './read.ts';
import { Text, plain, wishOf, write } from './render.ts';
import { addressOf, flag, readBody } from './request.ts';
import type { ApiRequest } from './request.ts';
import { SWAGGER_PROTOBUF, swaggerDocument, swaggerProtobuf } from './schema/openapi-v2.ts';
import { openApiDocument, openApiIndex } from './schema/openapi.ts';
import { scale } from './scale.ts';
import { APPROVAL, SIGNING_REQUESTS, demandSigner } from './signing/request.ts';
import { ApiFault, badRequest, methodNotAllowed, statusOf, unknownPath } from './status.ts';
import { RequestCounts, serverMetrics } from './server-metrics.ts';
import { bind, evict, finalize, issueToken } from './subresources.ts';
import { METRICS, metrics } from './metrics.ts';
import { ISSUER_PATHS } from './tokens.ts';
import { PROXY, parseTarget } from './target.ts';
import type { Target } from './target.ts';
import { create, existing, update } from './write.ts';
import type { Named, Place } from './write.ts';
import { watch } from './watch.ts';
import { reviewConnection } from './webhooks/connect.ts';
import { reviewed } from './webhooks/request-gate.ts';

/** Undefined: the handler has written its answer itself. */
type Handled = Answer | undefined;

/** A plain handler of the whole API; one for each server. */
export type Handler = (message: IncomingMessage, response: ServerResponse) => void;

export function createHandler(context: ApiContext): Handler {
  const snapshots = new Snapshots();
  const counts = new RequestCounts();
  return (message, response) => {
    serve(context, { message, response, snapshots, counts }).catch((error: unknown) => {
      context.logger.log('error', 'the API server could not answer', { error: messageOf(error) });
      response.destroy();
    });
  };
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly snapshots: Snapshots;
  readonly counts: RequestCounts;
}

async function serve(context: ApiContext, exchange: Exchange): Promise<void> {
  const { message, response } = exchange;
  const wish = wishOf(message);
  try {
    const url = addressOf(message);
    const open = openAnswer(context, url);
    if (open !== undefined) return plain(response, open, wish);
    if (await proxied(context, exchange, url)) return;
    const request = await readRequest(context, message, url);
    const target = parseTarget(catalogOf(context.store), request.path);
    const access = accessRequest(request, target);
    response.once('close', () => exchange.counts.add(access.verb, target, response.statusCode));
    demand(context.authorizer, access);
    const answer = await dispatch(context, request, { ...exchange, target });
    if (answer) write(response, answer, wish);
  } catch (error) {
    const status = statusOf(error);
    if (status.code >= 500)
      context.logger.log('warn', 'the API answered with an error', { error: messageOf(error) });
    if (response.headersSent) response.destroy();
    else write(response, { code: status.code, body: status, warnings: warningsOf(error) }, wish);
  }
}

const warningsOf = (error: unknown) => (error instanceof ApiFault ? error.warnings : []);

/** Whether it was for somebody behind the API, who reads the body alone. @throws ApiFault 401, 403 and those of `relay` */
async function proxied(context: ApiContext, exchange: Exchange, url: URL): Promise<boolean> {
  if (!url.pathname.includes(`/${PROXY}`)) return false;
  const target = parseTarget(catalogOf(context.store), url.pathname);
  if (target?.subresource !== PROXY) return false;
  const { method = 'GET' } = exchange.message;
  const user = identify(context, exchange.message);
  // The query is not the API's: a `watch` in it means nothing here.
  const asked = { method, path: url.pathname, query: new URLSearchParams(), user };
  demand(context.authorizer, accessRequest(asked, target));
  await reviewConnection(context, { target, query: url.searchParams, user });
  await relay(context, { ...exchange, url, target });
  return true;
}

/** @throws ApiFault 401, 403, 413 */
async function readRequest(context: ApiContext, message: IncomingMessage, url: URL): Promise<ApiRequest> {
  const user = identify(context, message);
  const { headers } = message;
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    accept: headers.accept ?? '',
    contentType: (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
    userAgent: headers['user-agent'] ?? '',
    body: await readBody(message),
    user,
  };
}

/** What anybody may ask. */
function openAnswer(context: ApiContext, { pathname: path, searchParams }: URL): unknown {
  const [, asked] = /^\/(healthz|livez|readyz)(?:\/|$)/.exec(path) ?? [];
  if (asked !== undefined)
    return searchParams.has('verbose') ? `[+]ping ok\n[+]store ok\n${asked} check passed\n` : 'ok';
  if (path !== '/version') return undefined;
  return {
    major: '1',
    minor: '35',
    gitVersion: `v1.35.0+updraft.${context.version}`,
    gitCommit: commitOf(context.version),
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

/** Clients want one to be there. Which one it was made of nobody knows here: versions differ in it at least. */
const commitOf = (version: string) => createHash('sha1').update(version).digest('hex');

async function dispatch(
  context: ApiContext,
  request: ApiRequest,
  exchange: Exchange & { readonly target: Target | undefined },
): Promise<Handled> {
  const { target } = exchange;
  if (request.path === '/metrics') return { code: 200, body: serverMetrics(context.store, exchange.counts) };
  if (target === undefined || target.plural === '')
    return {
      code: 200,
      body: issuerDocument(context, request) ?? document(catalogOf(context.store), request),
    };
  if (target.apiVersion === METRICS) return metrics(context, request, target);
  if (target.type) {
    const whole = { ...exchange, target, type: target.type };
    return reviewed(context, request, (gated) => resource(gated, request, whole));
  }
  const answer = request.method === 'POST' ? review(context, request, target) : undefined;
  if (answer) return answer;
  throw unknownPath();
}

/** What others check our tokens with. */
function issuerDocument({ tokens }: ApiContext, { path }: ApiRequest): unknown {
  const asked = path.replace(/\/$/, '');
  if (asked === ISSUER_PATHS.configuration) return tokens.discovery.configuration;
  if (asked !== ISSUER_PATHS.keys) return undefined;
  return new Text('application/jwk-set+json', JSON.stringify(tokens.discovery.keys));
}

/** Discovery and the schema. */
function document(catalog: Catalog, request: ApiRequest): unknown {
  const path = request.path.replace(/(?<=.)\/$/, '');
  const discovery = /;v=(v2|v2beta1);as=APIGroupDiscoveryList/.exec(request.accept.replaceAll(' ', ''));
  if (path === '/api' || path === '/apis') {
    if (discovery) return discoveryText(catalog, discovery[1] as 'v2', path === '/api');
    return path === '/api' ? coreVersions('') : groupList(catalog);
  }
  const body = path.startsWith('/openapi/') ? openApi(catalog, request) : plainDocument(catalog, path);
  if (body === undefined) throw unknownPath();
  return body;
}

function discoveryText(catalog: Catalog, version: 'v2' | 'v2beta1', core: boolean): Text {
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return new Text(type, JSON.stringify(aggregated(catalog, version, core)));
}

const PATHS = [
  ISSUER_PATHS.configuration,
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  ISSUER_PATHS.keys,
  '/readyz',
  '/version',
];

function plainDocument(catalog: Catalog, path: string): unknown {
  return path === '/' ? { paths: PATHS } : listing(catalog, path.split('/').filter(Boolean));
}

function openApi(catalog: Catalog, { path, accept }: ApiRequest): unknown {
  if (path === '/openapi/v3') return openApiIndex(catalog);
  if (path.startsWith('/openapi/v3/')) return openApiText(catalog, path.slice('/openapi/v3/'.length));
  if (path !== '/openapi/v2') return undefined;
  const takesJson = accept === '' || /application\/json|\*\/\*/.test(accept);
  return takesJson
    ? new JsonText(swaggerDocument(catalog))
    : new Text(SWAGGER_PROTOBUF, swaggerProtobuf(catalog));
}

function openApiText(catalog: Catalog, path: string): JsonText | undefined {
  const text = openApiDocument(catalog, path);
  return text === undefined ? undefined : new JsonText(text);
}

function listing(catalog: Catalog, parts: readonly string[]): unknown {
  const [root, first = '', second = ''] = parts;
  if (root === 'api' && parts.length === 2) return resourceList(catalog, first);
  if (root !== 'apis' || parts.length > 3) return undefined;
  return parts.length === 2 ? group(catalog, first) : resourceList(catalog, `${first}/${second}`);
}

interface ResourceExchange extends Exchange {
  readonly target: Target;
  readonly type: NonNullable<Target['type']>;
}

async function resource(
  context: ApiContext,
  request: ApiRequest,
  exchange: ResourceExchange,
): Promise<Handled> {
  const { target, type } = exchange;
  const { namespace, name, subresource } = target;
  if (name === undefined) return collection(context, request, { ...exchange, place: { type, namespace } });
  const named: Named = { type, namespace, name, subresource };
  const isPart = subresource !== undefined && partsOf(type).includes(subresource);
  if (subresource !== undefined && !isPart)
    return subresourceAnswer(context, request, { named, response: exchange.response });
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      if (flag(request.query, 'watch'))
        return watchOne(context, request, { named, response: exchange.response });
      return shown(context, request, named, { code: 200, object: existing(context, named), warnings: [] });
    }
    case 'PUT':
      demandSigner(context, request, named);
      return written(context, request, named, update);
    case 'PATCH':
      demandSigner(context, request, named);
      demandToCreate(context, request, named);
      return written(context, request, named, patch);
    case 'DELETE':
      if (isPart) throw methodNotAllowed();
      return remove(context, request, named);
    default:
      throw methodNotAllowed();
  }
}

/** Subresources that are written and read as the whole object, of which they take a part. */
const partsOf = (type: ResourceExchange['type']): readonly string[] => [
  ...type.subresources.filter((name) => name === 'status'),
  ...(type.storedAs === 'pods' ? [EPHEMERAL] : []),
  ...(type.storedAs === SIGNING_REQUESTS ? [APPROVAL] : []),
];

function watchOne(
  context: ApiContext,
  request: ApiRequest,
  what: { readonly named: Named; readonly response: ServerResponse },
): undefined {
  request.query.append('fieldSelector', `metadata.name=${what.named.name}`);
  watch(context, request, what.named, what.response);
  return undefined;
}

/** An apply patch makes what is not there. @throws ApiFault 403 */
function demandToCreate(context: ApiContext, request: ApiRequest, named: Named): void {
  const isThere = context.store.get(named.type.storedAs, named.namespace, named.name) !== undefined;
  if (request.contentType !== APPLY || isThere) return;
  demand(context.authorizer, {
    ...accessRequest(request, parseTarget(catalogOf(context.store), request.path)),
    verb: 'create',
  });
}

type Write<P extends Place> = (context: ApiContext, request: ApiRequest, place: P) => ObjectAnswer;

/** Writes, and shows what was written. Who gives permissions away must hold them: tried before it is done. */
function written<P extends Place>(
  context: ApiContext,
  request: ApiRequest,
  place: P,
  write: Write<P>,
): Answer {
  const { authorizer } = context;
  if (isGrant(request.user, place.type)) {
    const query = new URLSearchParams(request.query);
    query.set('dryRun', 'All');
    const { object } = write(context, { ...request, query }, place);
    checkEscalation(authorizer, request.user, { type: place.type, object });
  }
  return shown(context, request, place, write(context, request, place));
}

function shown(context: ApiContext, request: ApiRequest, place: Place, answer: ObjectAnswer): Answer {
  const { object, code, warnings } = answer;
  const body = showObject(formOf(request), place.type, { object, nowMs: context.clock.now() });
  return { code, body, warnings };
}

function collection(
  context: ApiContext,
  request: ApiRequest,
  exchange: ResourceExchange & { readonly place: Place },
): Handled | Promise<Handled> {
  const { place, snapshots } = exchange;
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      if (flag(request.query, 'watch')) {
        watch(context, request, place, exchange.response);
        return undefined;
      }
      const objects = list(context, request.query, { ...place, snapshots });
      return {
        code: 200,
        body: showList(formOf(request), place.type, { list: objects, nowMs: context.clock.now() }),
      };
    }
    case 'POST':
      return written(context, request, place, create);
    case 'DELETE':
      return removeCollection(context, request, place);
    default:
      throw methodNotAllowed();
  }
}

async function subresourceAnswer(
  context: ApiContext,
  request: ApiRequest,
  what: { readonly named: Named; readonly response: ServerResponse },
): Promise<Handled> {
  const { named } = what;
  const { type, subresource = '' } = named;
  if (subresource === 'scale' && type.subresources.includes('scale')) return scale(context, request, named);
  const route = `${request.method} ${type.plural}/${subresource}`;
  if (route === 'GET pods/log') {
    await logs(context, request, what);
    return undefined;
  }
  const handler = SUBRESOURCES[route];
  if (handler) return handler(context, request, named);
  if (type.plural === 'pods' && STREAMS.includes(subresource)) throw badRequest(NO_UPGRADE);
  throw unknownPath();
}

/** Streams are served where a connection is upgraded; whoever comes here has not asked for that. */
const STREAMS = ['exec', 'attach', 'portforward'];
const NO_UPGRADE = 'Upgrade request required: WebSocket or SPDY/3.1';

type SubresourceHandler = (context: ApiContext, request: ApiRequest, named: Named) => Answer;

const SUBRESOURCES: Readonly<Record<string, SubresourceHandler>> = {
  'POST pods/eviction': evict,
  'POST pods/binding': bind,
  'POST serviceaccounts/token': issueToken,
  'PUT namespaces/finalize': finalize,
};
