import { createCipheriv, createHash } from 'node:crypto';
import { machineArchitecture } from '../platform.ts';
import type { ContainerConfig, Image, ImageStore, Layer } from '../types.ts';
import { makeTar } from './make-tar.ts';

export interface RandomImageOptions {
  /** The same seed gives the same image. Default 'seed'. */
  readonly seed?: string;
  /** Default 2. */
  readonly layers?: number;
  /** In each layer, `layer<N>/file<M>`. Default 3. */
  readonly files?: number;
  /** Default 100. */
  readonly fileBytes?: number;
  readonly config?: ContainerConfig;
}

/** An image with made-up content in the store, without a name. No program in it can run. */
export async function randomImage(store: ImageStore, options: RandomImageOptions = {}): Promise<Image> {
  const { seed = 'seed', layers = 2, files = 3, fileBytes = 100, config = { Cmd: ['/bin/true'] } } = options;
  const made: Layer[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const members = Array.from({ length: files }, (_, file) => ({
      path: `layer${layer}/file${file}`,
      content: noise(`${seed} ${layer} ${file}`, fileBytes),
    }));
    const { digest, size } = await store.blobs.write(makeTar(members));
    made.push({ diffId: digest, size });
  }
  const created = '2024-01-02T03:04:05Z';
  return await store.putImage({ created, architecture: machineArchitecture(), os: 'linux', config }, made);
}

/** Bytes that look like chance and are the same every time: the key stream of a cipher. */
function noise(seed: string, bytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
