import type { DiffId, Digest, ImageConfig, ImageStore } from '@updraft/oci';
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

/**
 * The layers that the image itself brought: secrets in the base image's are its maker's. The base ends at the last
 * CMD that other layers came after; where no history tells, every layer is the image's own.
 */
export function ownLayers({ config, layers }: ScanImage): readonly DiffId[] {
  const history = config.history ?? [];
  const lastLayer = history.findLastIndex(({ empty_layer: isEmpty }) => isEmpty !== true);
  const baseEnd = history.findLastIndex(
    (entry, index) => index < lastLayer && entry.empty_layer === true && isCommand(entry.created_by ?? ''),
  );
  const inBase = history.slice(0, baseEnd + 1).filter(({ empty_layer: isEmpty }) => isEmpty !== true).length;
  return layers.slice(inBase).map(({ diffId }) => diffId);
}

function isCommand(createdBy: string): boolean {
  return /^(?:\/bin\/sh -c #\(nop\)\s+)?CMD\b/.test(createdBy);
}
