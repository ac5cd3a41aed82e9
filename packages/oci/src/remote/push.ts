import { Semaphore } from '@updraft/kit';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { canonicalJson } from '../json.ts';
import { MEDIA, layerCompression } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { chain } from '../streams.ts';
import type { Descriptor, Digest, Image, ImageStore } from '../types.ts';
import { RemoteRepository } from './client.ts';
import type { ClientOptions } from './client.ts';
import { Counter } from './counter.ts';

const BLOBS_AT_ONCE = 3;

interface Transfer {
  readonly store: ImageStore;
  readonly remote: RemoteRepository;
  readonly options: ClientOptions;
}

/**
 * Sends an image to a registry under a name with a tag or none (then `latest`). Layers that lie here uncompressed go as
 * gzip, once compressed and kept; what the registry has already is not sent. Gives the digest it has there, which is
 * the image's own when nothing had to be compressed.
 * @throws OciFault REFERENCE_INVALID, REGISTRY_UNREACHABLE, REGISTRY_FAILED, UNAUTHORIZED, BLOB_UNKNOWN
 */
export async function push(
  store: ImageStore,
  image: Image,
  reference: string,
  options: ClientOptions = {},
): Promise<{ digest: Digest }> {
  const parsed = parseReference(reference);
  const remote = new RemoteRepository(parsed, 'pull,push', options);
  try {
    const transfer = { store, remote, options };
    const semaphore = new Semaphore(BLOBS_AT_ONCE);
    const layers = await Promise.all(
      image.layers.map((_, index) => semaphore.use(() => sendLayer(transfer, image, index))),
    );
    await sendBlob(transfer, image.manifest.config);
    const { bytes, mediaType } = await manifestWith(store, image, layers);
    const digest = digestOf(bytes);
    const path = `manifests/${parsed.tag ?? parsed.digest ?? 'latest'}`;
    await remote.send(
      { method: 'PUT', path, headers: { 'content-type': mediaType }, body: bytes },
      'the manifest',
    );
    return { digest };
  } finally {
    await remote.close();
  }
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

async function sendBlob(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { remote } = transfer;
  const { digest, size } = descriptor;
  if (await isThere(remote, digest)) return;
  await remote.retrying(`the upload of ${digest}`, async () => {
    const started = await remote.once({ method: 'POST', path: 'blobs/uploads/', body: Buffer.alloc(0) });
    await started.body.dump();
    const { location } = started.headers;
    if (typeof location !== 'string')
      throw new OciFault('REGISTRY_FAILED', `${remote.registry} does not say where to upload`);
    const target = remote.resolve(location);
    target.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
    const body = chain(
      await transfer.store.blobs.read(digest),
      new Counter(descriptor, transfer.options.onProgress),
    );
    const done = await remote.once({ method: 'PUT', path: target, headers, body });
    await done.body.dump();
  });
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
