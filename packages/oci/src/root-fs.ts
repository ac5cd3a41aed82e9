import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ImageStore, Layer } from './types.ts';

/**
 * Makes a (not compressed) tar of a whole root file system a layer, as it is. The layer's content is checked when it is
 * first unpacked.
 */
export async function importRootFsTar(store: ImageStore, tar: string | Readable): Promise<Layer> {
  const source = typeof tar === 'string' ? createReadStream(tar, { highWaterMark: 256 * 1024 }) : tar;
  const { digest, size } = await store.blobs.write(source);
  return { diffId: digest, size };
}
