import { namedContext } from '@updraft/builder';
import type { BuildContext, BuildRequest, Entitlement, Secret } from '@updraft/builder';
import type { BuildImage } from '@updraft/control';
import { RequestError } from '../server/router.ts';

/** What a client asks for, as the builder understands it. @throws RequestError */
export function buildRequest(body: BuildImage): Omit<BuildRequest, 'timestampMs' | 'onLog'> {
  const { target, platform, labels, ssh, timeoutMs, memoryBytes, processes } = body;
  const limits = { ...(memoryBytes ? { memoryBytes } : {}), ...(processes ? { processes } : {}) };
  return {
    context: buildContext(body.context),
    dockerfile: body.dockerfile,
    buildArgs: body.buildArgs,
    secrets: Object.fromEntries(body.secrets.map(secretOf)),
    buildContexts: mapValues(body.buildContexts, namedContext),
    tags: body.tags,
    cache: body.noCache !== true,
    entitlements: (body.allow ?? []).map(entitlement),
    limits,
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
    ...(labels === undefined ? {} : { labels }),
    ...(ssh === undefined ? {} : { ssh }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** A folder, an archive or a repository. */
function buildContext(source: string): BuildContext {
  const context = namedContext(source);
  if (context.kind !== 'image' && context.kind !== 'layout') return context;
  throw new RequestError(
    400,
    'CONTEXT_UNSUPPORTED',
    `the build context ${source} is neither a folder nor an archive nor Git`,
  );
}

function secretOf({ id, source, value }: BuildImage['secrets'][number]): [string, Secret] {
  return [id, source === undefined ? { kind: 'value', value: value ?? '' } : { kind: 'file', path: source }];
}

function entitlement(text: string): Entitlement {
  if (text === 'network.host' || text === 'security.insecure') return text;
  throw new RequestError(400, 'ENTITLEMENT_UNKNOWN', `there is no entitlement ${text}`, {
    next: 'network.host and security.insecure can be allowed.',
  });
}

const mapValues = <A, B>(object: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
