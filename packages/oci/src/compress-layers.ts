import { OciFault } from './faults.ts';
import { canonicalJson } from './json.ts';
import { MEDIA, layerCompression } from './media-types.ts';
import type { Image, ImageStore, LayerForm } from './types.ts';

/**
 * The image with those of its layers that are not compressed in this form: another image with the same content. What came
 * compressed stays as it is.
 * @throws OciFault COMPRESSION_INVALID, PROGRAM_NEEDED, BLOB_UNKNOWN
 */
export async function compressLayers(store: ImageStore, image: Image, form: LayerForm): Promise<Image> {
  const { manifest } = image;
  const layers = [];
  for (const [index, descriptor] of manifest.layers.entries()) {
    const layer = image.layers[index];
    const isPlain = layer !== undefined && layerCompression(descriptor.mediaType) === 'none';
    layers.push(isPlain ? await store.compressed(layer, form) : descriptor);
  }
  const config = { ...manifest.config, mediaType: MEDIA.ociConfig };
  const whole = { ...manifest, mediaType: MEDIA.ociManifest, config, layers };
  const { digest } = await store.blobs.write(Buffer.from(canonicalJson(whole)));
  const compressed = await store.get(digest);
  if (compressed) return compressed;
  throw new OciFault('BLOB_UNKNOWN', 'the image was removed while it was compressed');
}
