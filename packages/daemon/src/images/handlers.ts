import path from 'node:path';
import { Fault } from '@updraft/kit';
import { fileSummaryCache } from '@updraft/gates';
import { lastChangeMs } from '@updraft/git';
import { exportOciLayout } from '@updraft/oci';
import type { BuildEvent, BuildImage, ImageView } from '@updraft/control';
import type { BuiltImage } from '@updraft/builder';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import { RequestError } from '../server/router.ts';
import type { Call, Handlers } from '../server/router.ts';
import { Busy, actOnImages } from './actions.ts';
import { attachAsked } from './attachments.ts';
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
    'POST /v1/images/action': ({ body, signal }) => {
      const events = actOnImages({ platform, busy }, body, signal);
      return body.action === 'prune' || body.action === 'rm' ? events : busy.during(events);
    },
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
  platform: Platform,
  { body, signal }: Call<'POST /v1/images/build'>,
  queue: EventQueue<BuildEvent>,
): Promise<void> {
  const { builder } = platform;
  checkAttachments(body);
  const request = { ...buildRequest(body), timestampMs: await dateOf(body.context), signal };
  let outcome;
  try {
    outcome = await builder.build({ ...request, onLog: (line) => queue.push({ type: 'log', text: line }) });
  } catch (error) {
    // Lines of the log are on their way: what is wrong with the machine, such as a full disk, follows them.
    if (!(error instanceof Fault)) throw error;
    return queue.push({ type: 'failed', message: [error.message, error.next].filter(Boolean).join('\n') });
  }
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
  await handOver(platform, body, outcome, (text) => queue.push({ type: 'log', text }));
  const sizeBytes = image.layers.reduce((sum, layer) => sum + layer.size, 0);
  queue.push({ type: 'built', digest: image.digest, sizeBytes, steps, cachedSteps });
}

/** For contexts that no commit dates: the first moment that archives of every kind can hold. */
const NO_DATE_MS = Date.UTC(1980, 0, 1);

/**
 * The same context makes the same image, whenever and wherever it is built: its date is the last commit's that changed
 * it. SOURCE_DATE_EPOCH wins.
 */
async function dateOf(context: string): Promise<number> {
  return (
    (path.isAbsolute(context) ? await lastChangeMs(context).catch(() => undefined) : undefined) ?? NO_DATE_MS
  );
}

/** Without a name nobody could find what is attached. */
function checkAttachments({ sbom, provenance, tags }: BuildImage): void {
  if ((sbom === undefined && provenance !== true) || tags.length > 0) return;
  throw new RequestError(400, 'NO_NAME', 'what is attached to an image is found by the image’s name', {
    next: 'Give the image one: updraft image build -t NAME --sbom',
  });
}

/** What is wanted beside the image in the store. */
async function handOver(
  { store, clock, config }: Platform,
  body: BuildImage,
  built: BuiltImage,
  log: (text: string) => void,
): Promise<void> {
  const summaries = fileSummaryCache(path.join(config.home, 'scans'));
  for (const { artifactType, digest } of await attachAsked({ store, clock, summaries }, body, built))
    log(`attached ${artifactType} ${digest}`);
  if (body.ociLayout !== undefined)
    await exportOciLayout(store, built.image, body.ociLayout, body.tags[0] ?? 'latest');
}
