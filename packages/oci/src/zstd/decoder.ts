import { messageOf } from '@updraft/kit';
import { Decompress } from 'fzstd';
import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { OciFault } from '../faults.ts';
import { ZstdFrames, damaged } from './frames.ts';

/** Unpacks zstd in this process, at a quarter of the program's speed: for machines that do not have the program. */
export class ZstdDecoder extends Transform {
  readonly #frames: ZstdFrames;
  #decoder: Decompress | undefined;

  constructor() {
    super();
    this.#frames = new ZstdFrames((bytes, isLast) => this.#decode(bytes, isLast));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#attempt(() => this.#frames.push(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.#attempt(() => this.#frames.end(), done);
  }

  #decode(bytes: Buffer, isLast: boolean): void {
    this.#decoder ??= new Decompress((out) => {
      // The decoder goes on to use the memory that it gives out.
      if (out.length > 0) this.push(Buffer.from(out));
    });
    this.#decoder.push(bytes, isLast);
    if (isLast) this.#decoder = undefined;
  }

  #attempt(work: () => void, done: TransformCallback): void {
    try {
      work();
      done();
    } catch (error) {
      done(error instanceof OciFault ? error : damaged(messageOf(error), error));
    }
  }
}
