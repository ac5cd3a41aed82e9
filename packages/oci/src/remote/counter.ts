import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { OciFault } from '../faults.ts';
import type { Descriptor, TransferOptions } from '../types.ts';

/** Passes a blob on, reports progress, and stops one that is longer than announced before it fills the disk. */
export class Counter extends Transform {
  readonly #descriptor: Descriptor;
  readonly #onProgress: TransferOptions['onProgress'];
  #done: number;

  /** `done` bytes of the blob went another way, before. */
  constructor(descriptor: Descriptor, onProgress: TransferOptions['onProgress'], done = 0) {
    super({ readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#done = done;
    this.#descriptor = descriptor;
    this.#onProgress = onProgress;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#done += chunk.length;
    const { digest, size } = this.#descriptor;
    if (this.#done > size) {
      return done(
        new OciFault('DIGEST_INVALID', `${digest} is longer than the ${size} bytes its manifest says`),
      );
    }
    this.#onProgress?.({ digest, doneBytes: this.#done, totalBytes: size });
    done(null, chunk);
  }
}
