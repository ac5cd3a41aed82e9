import { Semaphore } from '@updraft/kit';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { canonicalJson } from '../json.ts';
import { MEDIA, layerCompression } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import type { Descriptor, Digest, Image, ImageStore, Reference } from '../types.ts';
import { RemoteRepository, targetOf } from './client.ts';
import type { ClientOptions } from './client.ts';
import { pushReferrers } from './push-referrers.ts';
import { BlobUpload } from './upload.ts';

const BLOBS_AT_ONCE = 3;

interface Transfer {
  readonly store: ImageStore;
  readonly remote: RemoteRepository;
  readonly options: ClientOptions;
  /** Of content that another repository of the registry has: which one. */
  readonly sources: ReadonlyMap<Digest, string>;
}

/**
 * Sends an image to a registry under a name with a tag or none (then `latest`). Layers that lie here uncompressed go as
 * gzip, once compressed and kept; what the registry has already is not sent. What is attached to the image goes too.
 * Gives the digest it has there, which is the image's own when nothing had to be compressed.
 * @throws OciFault REFERENCE_INVALID, REGISTRY_UNREACHABLE, REGISTRY_FAILED, UNAUTHORIZED, BLOB_UNKNOWN
 */
export async function push(
  store: ImageStore,
  image: Image,
  reference: string,
  options: ClientOptions = {},
): Promise<{ digest: Digest }> {
  const parsed = parseReference(reference);
  const sources = sourcesOf(store, image, parsed);
  const target = targetOf(parsed, 'pull,push', options.insecure);
  const remote = new RemoteRepository(
    { ...target, sources: [...new Set(sources.values())].slice(0, 5) },
    options,
  );
  try {
    const transfer = { store, remote, options, sources };
    const semaphore = new Semaphore(BLOBS_AT_ONCE);
    const layers = await Promise.all(
      image.layers.map((_, index) => semaphore.use(() => sendLayer(transfer, image, index))),
    );
    await sendBlob(transfer, image.manifest.config);
    const { bytes, mediaType } = await manifestWith(store, image, layers);
    const digest = digestOf(bytes);
    const sent = { mediaType, digest, size: bytes.length };
    const path = `manifests/${parsed.tag ?? parsed.digest ?? 'latest'}`;
    await remote.send(
      { method: 'PUT', path, headers: { 'content-type': mediaType }, body: bytes },
      'the manifest',
    );
    const sendBlobHere = (descriptor: Descriptor) => sendBlob(transfer, descriptor);
    await pushReferrers({ store, remote, sendBlob: sendBlobHere }, image.digest, sent);
    return { digest };
  } finally {
    await remote.close();
  }
}

/** What was pulled from a registry, or pushed there, is there under that name, and need not be sent again. */
function sourcesOf(store: ImageStore, image: Image, target: Reference): ReadonlyMap<Digest, string> {
  const found = new Map<Digest, string>();
  for (const { digest } of [...image.manifest.layers, image.manifest.config]) {
    const [other] = store
      .homes(digest, target.registry)
      .filter((repository) => repository !== target.repository);
    if (other !== undefined) found.set(digest, other);
  }
  return found;
}

async function sendLayer(transfer: Transfer, image: Image, index: number): Promise<Descriptor> {
  const layer = image.layers[index];
  const own = image.manifest.layers[index];
  if (!layer || !own) throw new OciFault('MANIFEST_INVALID', 'an image has more layers than its manifest');
  const descriptor =
    layerCompression(own.mediaType) === 'none' ? await transfer.store.compressed(layer) : own;
  await sendBlob(transfer, descriptor);
  return descriptor;
}

async function sendBlob(
  { store, remote, options, sources }: Transfer,
  descriptor: Descriptor,
): Promise<void> {
  const { digest } = descriptor;
  if (await isThere(remote, digest)) return;
  const { onProgress } = options;
  await new BlobUpload({
    blobs: store.blobs,
    remote,
    descriptor,
    onProgress,
    source: sources.get(digest),
  }).send();
}

async function isThere(remote: RemoteRepository, digest: Digest): Promise<boolean> {
  try {
    await (await remote.send({ method: 'HEAD', path: `blobs/${digest}` }, `the blob ${digest}`)).body.dump();
    return true;
  } catch (error) {
    if (error instanceof OciFault && error.code === 'IMAGE_NOT_FOUND') return false;
    throw error;
  }
}

/** The image's manifest for the layers as they were sent; its very bytes when they are the same. */
async function manifestWith(
  store: ImageStore,
  image: Image,
  layers: readonly Descriptor[],
): Promise<{ bytes: Buffer; mediaType: string }> {
  const { manifest } = image;
  if (layers.every((layer, index) => layer.digest === manifest.layers[index]?.digest)) {
    return { bytes: await buffer(await store.blobs.read(image.digest)), mediaType: manifest.mediaType };
  }
  const config = { ...manifest.config, mediaType: MEDIA.ociConfig };
  const whole = { ...manifest, mediaType: MEDIA.ociManifest, config, layers };
  return { bytes: Buffer.from(canonicalJson(whole)), mediaType: MEDIA.ociManifest };
}
