import { stat } from 'node:fs/promises';
import { Fault, codeOf, messageOf } from '@updraft/kit';
import type { ImageAction, Routes } from '@updraft/control';
import {
  checkCredentials,
  exportArchive,
  exportOciLayout,
  importArchive,
  importOciLayout,
  parseReference,
  push,
  referrersOf,
  shortReference,
  tagWithReferrers,
} from '@updraft/oci';
import type { Credentials, Image } from '@updraft/oci';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import { RequestError } from '../server/router.ts';
import { RegistryAccess } from './access.ts';
import { TransferProgress } from './transfer-progress.ts';

export type ImageEvent = Routes['POST /v1/images/action']['response'];

/** Builds and transfers that run now: what they use must not be pruned. */
export class Busy {
  #running = 0;

  get isBusy(): boolean {
    return this.#running > 0;
  }

  async *during<T>(events: AsyncIterable<T>): AsyncIterable<T> {
    this.#running += 1;
    try {
      yield* events;
    } finally {
      this.#running -= 1;
    }
  }
}

interface Parts {
  readonly platform: Platform;
  readonly busy: Busy;
}

interface ActionCall extends Parts {
  readonly action: ImageAction;
  readonly access: RegistryAccess;
  readonly signal: AbortSignal;
  readonly progress: TransferProgress['note'];
}

/** Does one thing with images; says how far it is once it takes long. */
export async function* actOnImages(
  parts: Parts,
  action: ImageAction,
  signal: AbortSignal,
): AsyncIterable<ImageEvent> {
  const queue = new EventQueue<ImageEvent>();
  let isTold = false;
  const transfer = new TransferProgress(
    parts.platform.clock,
    `${action.action} ${action.reference}`,
    (event) => {
      isTold = true;
      queue.push(event);
    },
  );
  const access = new RegistryAccess(parts.platform.config, process.env);
  const finished = ACTIONS[action.action]({ ...parts, action, access, signal, progress: transfer.note })
    .then((result) => queue.push({ type: 'done', result }))
    .catch((error: unknown) => {
      const shown = asRequestError(error);
      // Once something was said it is too late for a status of its own.
      if (!(error instanceof Fault) || (shown instanceof RequestError && !isTold)) throw shown;
      queue.push(failureOf(error));
    })
    .finally(() => queue.end());
  finished.catch(() => undefined);
  yield* queue;
  await finished;
}

function failureOf({ code, message, next }: Fault): ImageEvent {
  return { type: 'failed', code, message, ...(next !== undefined && { next }) };
}

/** What is wrong with the words of the caller; everything else is the outcome of an action. */
const WRONG_WORDS = new Set(['IMAGE_NAME_INVALID', 'REFERENCE_INVALID']);

function asRequestError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || !WRONG_WORDS.has(code)) return error;
  const next = error instanceof Fault ? error.next : undefined;
  return new RequestError(400, code, messageOf(error), next === undefined ? {} : { next });
}

type Action = (call: ActionCall) => Promise<unknown>;

const ACTIONS: Readonly<Record<ImageAction['action'], Action>> = {
  pull,
  push: pushImage,
  inspect,
  export: exportLayout,
  save,
  load,
  tag,
  rm,
  prune,
  login,
  logout: async ({ access, action }) => ({ forgotten: await access.forget(registryOf(action)) }),
};

function given({ username, password }: ImageAction): Credentials | undefined {
  return username !== undefined && password !== undefined ? { username, password } : undefined;
}

async function pull({ platform, action, signal, progress }: ActionCall): Promise<unknown> {
  const { image, notes } = await platform.images.find(action.reference, {
    policy: 'always',
    credentials: given(action),
    onLog: () => undefined,
    signal,
    transfer: {
      onProgress: progress,
      ...(action.platform !== undefined && { platform: action.platform }),
      ...(action.insecure === true && { insecure: true }),
    },
  });
  return { digest: image.digest, notes };
}

async function pushImage(call: ActionCall): Promise<unknown> {
  const { platform, action, access, signal, progress } = call;
  const { store } = platform;
  const image = await knownImage(platform, action.reference);
  const name = action.target ?? action.reference;
  const { registry } = store.parse(name);
  if (registry === platform.addresses.registry) {
    // The embedded registry shows this very store: to name the image is to push it.
    await tagWithReferrers(store, name, store.resolve(action.reference) ?? image.digest);
    return { digest: image.digest };
  }
  const ways = await access.to(registry, given(action));
  try {
    const { digest } = await push(store, image, name, {
      ...ways,
      ...(action.insecure === true && { insecure: true }),
      signal,
      onProgress: progress,
    });
    return { digest };
  } catch (error) {
    if (codeOf(error) !== 'UNAUTHORIZED') throw error;
    throw new RequestError(403, 'UNAUTHORIZED', messageOf(error), { next: await access.advice(registry) });
  }
}

async function inspect({ platform, action }: ActionCall): Promise<unknown> {
  const { store } = platform;
  const image = await knownImage(platform, action.reference);
  const named = store.resolve(action.reference) ?? image.digest;
  const { digest, config, manifest, layers } = image;
  const subjects = named === digest ? [digest] : [named, digest];
  return {
    digest,
    ...(named !== digest && { index: named }),
    names: (await store.list()).filter((each) => each.digest === named).map(({ name }) => name),
    sizeBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size),
    layers,
    config,
    manifest,
    referrers: subjects.flatMap((subject) => referrersOf(store, subject)),
  };
}

async function exportLayout({ platform, action }: ActionCall): Promise<unknown> {
  const { reference, ociLayout } = action;
  const image = await knownImage(platform, reference);
  if (ociLayout === undefined) throw new RequestError(400, 'NO_TARGET', 'export needs a folder to write');
  await exportOciLayout(platform.store, image, ociLayout, reference);
  return { path: ociLayout, digest: image.digest };
}

async function save({ platform, action }: ActionCall): Promise<unknown> {
  const { reference, file, format = 'docker' } = action;
  const image = await knownImage(platform, reference);
  if (file === undefined) throw new RequestError(400, 'NO_TARGET', 'save needs a file to write');
  const { digest } = parseReference(reference.startsWith('sha256:') ? `by@${reference}` : reference);
  const names = digest === undefined ? [reference] : [];
  await exportArchive(platform.store, image, file, { format, names });
  return { path: file, digest: image.digest };
}

async function load({ platform, action }: ActionCall): Promise<unknown> {
  const { store } = platform;
  const { file } = action;
  if (file === undefined) throw new RequestError(400, 'NO_SOURCE', 'load needs a file to read');
  const isFolder = await isFolderAt(file);
  const found = isFolder
    ? [{ image: await importOciLayout(store, file), names: [] }]
    : await importArchive(store, file);
  const loaded = [];
  for (const { image, names } of found) {
    const wanted = action.target === undefined ? names.filter(isName) : [action.target];
    for (const name of wanted) await store.tag(name, image.digest);
    loaded.push({ digest: image.digest, names: wanted });
  }
  return loaded;
}

async function isFolderAt(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new RequestError(400, 'NO_SOURCE', `there is no file ${file}`);
  }
}

/** An archive may say anything; a bare tag of an OCI layout (`v1`) is taken for a name, as Docker does. */
function isName(text: string): boolean {
  try {
    return parseReference(text).digest === undefined;
  } catch {
    return false;
  }
}

async function tag({ platform, action }: ActionCall): Promise<unknown> {
  const image = await knownImage(platform, action.reference);
  if (action.target === undefined) throw new RequestError(400, 'NO_TARGET', 'tag needs the new name');
  const digest = platform.store.resolve(action.reference) ?? image.digest;
  await tagWithReferrers(platform.store, action.target, digest);
  return { digest: image.digest, name: shortReference(parseReference(action.target)) };
}

async function rm(call: ActionCall): Promise<unknown> {
  const { store } = call.platform;
  const { reference } = call.action;
  const digest = store.resolve(reference);
  const named = (await store.list()).filter((each) => each.digest === digest).map(({ name }) => name);
  // By its digest an image goes with all its names.
  const names = reference.includes('sha256:') ? named : [reference];
  let removed = 0;
  for (const name of names) if (await store.untag(name)) removed += 1;
  if (digest === undefined || (removed === 0 && (await store.blobs.size(digest)) === undefined))
    throw unknownImage(reference);
  const { removedBytes } = await store.prune(inUse(call), { ...sparing(call), only: [digest] });
  return { names, removedBytes };
}

async function prune(call: ActionCall): Promise<unknown> {
  const { unusedForMs, maxBytes, buildCache } = call.action;
  // A layer of the cache costs a step's whole time to get back: it goes when it is meant to.
  const cached = buildCache === true ? [] : call.platform.builder.cachedLayers();
  return await call.platform.store.prune([...inUse(call), ...cached], {
    ...sparing(call),
    ...(unusedForMs !== undefined && { unusedForMs }),
    ...(maxBytes !== undefined && { maxBytes }),
  });
}

/** Images that pods run from, or that jobs may be about to. */
function inUse({ platform, busy }: Parts): readonly Image['digest'][] {
  const isIdle =
    !busy.isBusy && platform.runner.active().length === 0 && platform.cluster.counts().pods === 0;
  if (isIdle) platform.images.releaseAll();
  return platform.images.held();
}

/** A build mounts layers that no image has yet; jobs build, too. */
const sparing = ({ platform, busy }: Parts) => ({
  keepUsed: busy.isBusy || platform.runner.active().length > 0,
});

async function login({ access, action, signal }: ActionCall): Promise<unknown> {
  const credentials = given(action);
  if (credentials === undefined)
    throw new RequestError(400, 'NO_CREDENTIALS', 'login needs a name and a password');
  const registry = registryOf(action);
  const ways = await access.to(registry, credentials);
  await checkCredentials(registry, { ...ways, ...(action.insecure === true && { insecure: true }), signal });
  await access.keep(registry, credentials);
  return { registry };
}

function registryOf({ reference }: ImageAction): string {
  const host = reference.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return parseReference(`${host === '' ? 'docker.io' : host}/a`).registry;
}

async function knownImage({ store }: Platform, reference: string): Promise<Image> {
  const image = await store.get(reference);
  if (image) return image;
  throw unknownImage(reference);
}

function unknownImage(reference: string): RequestError {
  return new RequestError(404, 'IMAGE_UNKNOWN', `there is no image ${reference} on this machine`, {
    next: 'updraft image list shows them; updraft image pull fetches one.',
  });
}
