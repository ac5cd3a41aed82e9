import { scanImageFromStore } from '@updraft/gates';
import type { ScanImage } from '@updraft/gates';
import type { ImageStore } from '@updraft/oci';

/**
 * An image as the scan reads it: from the tars of its layers. Those of a pulled image came compressed, so their tars are
 * made here; the next prune takes them away again.
 */
export async function scannable(store: ImageStore, reference: string): Promise<ScanImage | 'notFound'> {
  const image = await store.get(reference);
  for (const layer of image?.layers ?? []) {
    if ((await store.blobs.size(layer.diffId)) !== undefined) continue;
    await store.blobs.write(await store.layerTar(layer), layer.diffId);
  }
  return await scanImageFromStore(store, reference);
}
