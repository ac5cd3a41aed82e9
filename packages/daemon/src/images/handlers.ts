import { exportOciLayout, push } from '@updraft/oci';
import type { NamedContext } from '@updraft/builder';
import type { Image } from '@updraft/oci';
import type { BuildEvent, ImageAction, ImageView } from '@updraft/control';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import { RequestError } from '../server/router.ts';
import type { Call, Handlers } from '../server/router.ts';
import { scanStream } from './scan.ts';

type ImageHandlers = Pick<
  Handlers,
  'GET /v1/images' | 'POST /v1/images/action' | 'POST /v1/images/build' | 'POST /v1/scan'
>;

export function imageHandlers(platform: Platform): ImageHandlers {
  return {
    'GET /v1/images': async () => (await platform.store.list()).map((image): ImageView => ({ ...image })),
    'POST /v1/images/action': async ({ body }) => ({ result: await act(platform, body) }),
    'POST /v1/images/build': (call) => build(platform, call),
    'POST /v1/scan': ({ body, signal }) => scanStream(platform, body, signal),
  };
}

async function act(platform: Platform, { action, reference, ociLayout }: ImageAction): Promise<unknown> {
  if (action === 'prune') return platform.store.prune();
  if (action === 'pull') {
    const found = await platform.images.find(reference, {
      policy: 'always',
      credentials: undefined,
      onLog: () => undefined,
    });
    return [found.image.digest, ...found.notes].join('\n');
  }
  const image = await knownImage(platform, reference);
  if (action === 'inspect') return { digest: image.digest, config: image.config, manifest: image.manifest };
  if (action === 'push') {
    await push(platform.store, image, reference, {});
    return image.digest;
  }
  if (ociLayout === undefined) throw new RequestError(400, 'NO_TARGET', 'export needs a folder to write');
  await exportOciLayout(platform.store, image, ociLayout, reference);
  return ociLayout;
}

async function knownImage({ store }: Platform, reference: string): Promise<Image> {
  const image = await store.get(reference);
  if (image) return image;
  throw new RequestError(404, 'IMAGE_UNKNOWN', `there is no image ${reference} on this machine`, {
    next: 'updraft image list shows them; updraft image pull fetches one.',
  });
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
    context: { kind: 'folder', path: body.context },
    dockerfile: body.dockerfile,
    buildArgs: body.buildArgs,
    ...(body.target === undefined ? {} : { target: body.target }),
    secrets: Object.fromEntries(body.secrets.map(({ id, source }) => [id, { kind: 'file', path: source }])),
    buildContexts: mapValues(body.buildContexts, namedContext),
    tags: body.tags,
    cache: true,
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

/** A folder when there is a path in it, an image otherwise (`NAME=DIR | docker-image://REF | REF`). */
function namedContext(source: string): NamedContext {
  if (source.startsWith('docker-image://'))
    return { kind: 'image', reference: source.slice('docker-image://'.length) };
  return /^[./]/.test(source) ? { kind: 'folder', path: source } : { kind: 'image', reference: source };
}

const mapValues = <A, B>(object: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
