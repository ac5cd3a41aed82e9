import { exportOciLayout } from '@updraft/oci';
import { namedContext } from '@updraft/builder';
import type { BuildContext, BuildRequest, Entitlement, Secret } from '@updraft/builder';
import type { BuildEvent, ImageView } from '@updraft/control';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import type { Call, Handlers } from '../server/router.ts';
import { Busy, actOnImages } from './actions.ts';
import { scanStream } from './scan.ts';

type ImageHandlers = Pick<
  Handlers,
  'GET /v1/images' | 'POST /v1/images/action' | 'POST /v1/images/build' | 'POST /v1/scan'
>;

export function imageHandlers(platform: Platform): ImageHandlers {
  const busy = new Busy();
  return {
    'GET /v1/images': async () => (await platform.store.list()).map((image): ImageView => ({ ...image })),
    'POST /v1/images/action': ({ body, signal }) => actOnImages({ platform, busy }, body, signal),
    'POST /v1/images/build': (call) => busy.during(build(platform, call)),
    'POST /v1/scan': ({ body, signal }) => scanStream(platform, body, signal),
  };
}

async function* build(platform: Platform, call: Call<'POST /v1/images/build'>): AsyncIterable<BuildEvent> {
  const queue = new EventQueue<BuildEvent>();
  const finished = runBuild(platform, call, queue).finally(() => queue.end());
  finished.catch(() => undefined);
  yield* queue;
  await finished;
}

async function runBuild(
  { builder, store, clock }: Platform,
  { body, signal }: Call<'POST /v1/images/build'>,
  queue: EventQueue<BuildEvent>,
): Promise<void> {
  const outcome = await builder.build({
    ...buildRequest(body),
    timestampMs: clock.now(),
    onLog: (line) => queue.push({ type: 'log', text: line }),
    signal,
  });
  if (outcome.kind === 'failed') {
    const { message, position } = outcome;
    queue.push({
      type: 'failed',
      message,
      ...(position ? { file: position.file, line: position.line } : {}),
    });
    return;
  }
  const { image, steps, cachedSteps } = outcome;
  if (body.ociLayout !== undefined)
    await exportOciLayout(store, image, body.ociLayout, body.tags[0] ?? 'latest');
  const sizeBytes = image.layers.reduce((sum, layer) => sum + layer.size, 0);
  queue.push({ type: 'built', digest: image.digest, sizeBytes, steps, cachedSteps });
}

function buildRequest(body: BuildImage): Omit<BuildRequest, 'timestampMs' | 'onLog'> {
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
