import type { Digest, ImageConfig, ImageStore } from '@updraft/oci';
import type { ScanLayer } from './inventory.ts';

/** An image as the scan needs it. */
export interface ScanImage {
  readonly digest: Digest;
  /** Of the config: what is called the image's id. */
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** Bottom first. */
  readonly layers: readonly ScanLayer[];
}

/** Describes an image of the store; its layers are read where they lie, as tars. */
export async function scanImageFromStore(
  store: ImageStore,
  reference: string,
): Promise<ScanImage | 'notFound'> {
  const image = await store.get(reference);
  if (image === undefined) return 'notFound';
  const { manifest } = image;
  const layers = image.layers.map(({ diffId }, index): ScanLayer => ({
    diffId,
    digest: manifest.layers[index]?.digest,
    content: { tar: store.blobs.path(diffId) },
  }));
  const isDigest = reference.startsWith('sha256:') || reference.includes('@');
  return {
    digest: image.digest,
    configDigest: manifest.config.digest,
    config: image.config,
    repoTags: isDigest ? [] : [reference],
    repoDigests: [],
    layers,
  };
}
