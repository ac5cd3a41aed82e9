import { exportOciLayout } from '@updraft/oci';
import type { BuildEvent, ImageView } from '@updraft/control';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import type { Call, Handlers } from '../server/router.ts';
import { Busy, actOnImages } from './actions.ts';
import { buildRequest } from './build-request.ts';
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
