import { Semaphore, codeOf } from '@updraft/kit';
import { digestLike, digestOf, isDigest } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseManifest } from '../manifest.ts';
import type { ParsedManifest } from '../manifest.ts';
import { MEDIA, isForeignType } from '../media-types.ts';
import { choosePlatform } from '../platform.ts';
import { formatReference, parseReference } from '../reference.ts';
import { chain, wrongDigest } from '../streams.ts';
import type { Descriptor, Digest, Image, ImageStore, Manifest, Reference } from '../types.ts';
import { BlobBody } from './blob-body.ts';
import { RemoteRepository, readLimited, targetOf } from './client.ts';
import type { ClientOptions, RemoteTarget } from './client.ts';
import { Counter } from './counter.ts';

const LAYERS_AT_ONCE = 3;
const ACCEPT = [MEDIA.ociIndex, MEDIA.ociManifest, MEDIA.dockerList, MEDIA.dockerManifest].join(', ');

interface Transfer {
  readonly store: ImageStore;
  readonly remote: RemoteRepository;
  readonly options: PullOptions;
}

export interface PullOptions extends ClientOptions {
  /** `linux/arm64`, `linux/arm/v7`; the default is this machine's. */
  readonly platform?: string;
  /** False: the name goes on to mean what it did. */
  readonly named?: boolean;
}

/**
 * Fetches an image for this machine from its registry into the store, and names it there as it was asked for (a name
 * with only a digest needs none). Manifest and blobs are kept as they came, so the image's digest is the registry's.
 * What is already in the store is not fetched again. Every byte is verified.
 * @throws OciFault REFERENCE_INVALID, REGISTRY_UNREACHABLE, REGISTRY_FAILED, IMAGE_NOT_FOUND, UNAUTHORIZED,
 * DIGEST_INVALID, MANIFEST_INVALID, PLATFORM_MISSING, IMAGE_UNSUPPORTED, LAYER_*
 */
export async function pull(store: ImageStore, reference: string, options: PullOptions = {}): Promise<Image> {
  const parsed = parseReference(reference);
  const { mirrors = [], mirrorsOnly = false } = options;
  for (const [index, mirror] of mirrors.entries()) {
    const target = mirrorTarget(parsed, mirror);
    try {
      return await pullFrom(store, parsed, target, withoutCredentials(options));
    } catch (error) {
      // Whatever is wrong with a mirror, the next one is asked; the registry itself, or the last one, has the last word.
      options.signal?.throwIfAborted();
      const isLast = mirrorsOnly && index === mirrors.length - 1;
      if (isLast || !(error instanceof OciFault)) throw error;
    }
  }
  return await pullFrom(store, parsed, targetOf(parsed, 'pull', options.insecure), options);
}

function withoutCredentials(options: PullOptions): PullOptions {
  const { credentials, ...others } = options;
  return credentials === undefined ? options : others;
}

/** `[http://]host[:port][/path]`; official images have their whole name there. */
function mirrorTarget({ repository }: Reference, mirror: string): RemoteTarget {
  const whole = /^https?:\/\//.test(mirror) ? mirror : `https://${mirror}`;
  const { origin, host, pathname } = new URL(whole);
  const path = [...pathname.split('/').filter(Boolean), repository].join('/');
  return { registry: host, base: new URL(`${origin}/v2/${path}/`), repository: path, actions: 'pull' };
}

async function pullFrom(
  store: ImageStore,
  parsed: Reference,
  target: RemoteTarget,
  options: PullOptions,
): Promise<Image> {
  const remote = new RemoteRepository(target, options);
  try {
    const transfer = { store, remote, options };
    const found = await fetchManifest(transfer, parsed.digest ?? parsed.tag ?? 'latest');
    const own = await ownManifest(transfer, found);
    await fetchContent(transfer, own.manifest);
    await store.blobs.write(own.bytes, own.digest);
    if (found.digest !== own.digest) await store.blobs.write(found.bytes, found.digest);
    const image = await store.get(own.digest);
    if (!image) throw new OciFault('BLOB_UNKNOWN', `${own.digest} was removed while it was pulled`);
    // A name that stands for an index means this machine's part of it: another part needs the name for itself.
    const named = options.platform === undefined ? found.digest : own.digest;
    if (parsed.tag !== undefined && options.named !== false)
      await store.tag(formatReference({ ...parsed, digest: undefined }), named);
    return image;
  } finally {
    await remote.close();
  }
}

interface Fetched {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly parsed: ParsedManifest;
}

async function fetchManifest({ remote }: Transfer, wanted: string): Promise<Fetched> {
  const what = `the manifest ${wanted}`;
  const response = await remote.send(
    { method: 'GET', path: `manifests/${wanted}`, headers: { accept: ACCEPT } },
    what,
  );
  const bytes = await readLimited(response, MAX_MANIFEST_BYTES);
  const digest = digestOf(bytes);
  const announced = isDigest(wanted) ? wanted : response.headers['docker-content-digest'];
  if (typeof announced === 'string' && isDigest(announced) && announced !== digestLike(announced, bytes)) {
    throw wrongDigest(`the manifest from ${remote.registry}`, announced, digest);
  }
  const type = response.headers['content-type'];
  return {
    bytes,
    digest,
    parsed: parseManifest(bytes, typeof type === 'string' ? type.split(';')[0] : undefined),
  };
}

/** The manifest for this machine: the one that was found, or the right one of an index. */
async function ownManifest(transfer: Transfer, found: Fetched): Promise<Fetched & { manifest: Manifest }> {
  const { parsed } = found;
  if (parsed.kind === 'image') return { ...found, manifest: parsed.manifest };
  if (parsed.kind === 'index') {
    const { platform } = transfer.options;
    const own = await fetchManifest(transfer, choosePlatform(parsed.index, platform).digest);
    if (own.parsed.kind === 'image') return { ...own, manifest: own.parsed.manifest };
  }
  throw new OciFault(
    'IMAGE_UNSUPPORTED',
    `what ${transfer.remote.registry} has under this name is not a container image`,
  );
}

async function fetchContent(transfer: Transfer, manifest: Manifest): Promise<void> {
  if (manifest.config.size > MAX_CONFIG_BYTES)
    throw new OciFault('MANIFEST_INVALID', 'the image’s config is too large');
  refuseForeign(manifest);
  const unique = new Map([manifest.config, ...manifest.layers].map((item) => [item.digest, item]));
  const stop = new AbortController();
  const semaphore = new Semaphore(LAYERS_AT_ONCE);
  const work = [...unique.values()].map((descriptor) =>
    semaphore.use(async () => {
      if (!stop.signal.aborted) await fetchBlob(transfer, descriptor, stop.signal);
    }),
  );
  try {
    await Promise.all(work);
  } finally {
    // One that failed ends the others: nothing of this pull goes on when it has returned.
    stop.abort();
    await Promise.allSettled(work);
  }
}

/** Such layers are not in the registry, and the addresses that an image names are nothing to follow blindly. */
function refuseForeign({ layers }: Manifest): void {
  const foreign = layers.filter(({ mediaType }) => isForeignType(mediaType));
  if (foreign.length === 0) return;
  throw new OciFault(
    'IMAGE_UNSUPPORTED',
    `the image has ${foreign.length} layer(s) that may not be distributed (${foreign[0]?.mediaType})`,
    { next: 'Such layers are parts of Windows images; use an image for Linux.' },
  );
}

async function fetchBlob(
  { store, remote, options }: Transfer,
  descriptor: Descriptor,
  stop: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  if ((await store.blobs.size(digest)) === size) return;
  const body = new BlobBody(remote, descriptor);
  try {
    await writeBlob({ store, remote, options }, { descriptor, body, stop });
  } catch (error) {
    // Pieces that do not fit together say nothing about the whole.
    if (codeOf(error) !== 'DIGEST_INVALID' || !body.isJoined) throw error;
    await writeBlob({ store, remote, options }, { descriptor, body: new BlobBody(remote, descriptor), stop });
  }
}

async function writeBlob(
  { store, options }: Transfer,
  { descriptor, body, stop }: { descriptor: Descriptor; body: BlobBody; stop: AbortSignal },
): Promise<void> {
  const counted = chain(body.stream, new Counter(descriptor, options.onProgress));
  const end = () => counted.destroy(new Error('another part of the image failed'));
  stop.addEventListener('abort', end, { once: true });
  try {
    await store.blobs.write(counted, descriptor.digest);
  } finally {
    stop.removeEventListener('abort', end);
  }
}
