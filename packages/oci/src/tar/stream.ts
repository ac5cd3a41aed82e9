import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { TarReader } from './reader.ts';
import type { TarListener } from './reader.ts';
import { endOfArchive } from './writer.ts';

/** Writes tar bytes on; what is emitted during one incoming chunk leaves as one chunk. */
export type Emit = (bytes: Buffer) => void;

/** Rewrites a tar stream: `listen` gets what is read and emits what is to be written. Ends with its own end mark. */
export class TarRewriter extends Transform {
  readonly #reader: TarReader;
  #out: Buffer[] = [];

  constructor(listen: (emit: Emit) => TarListener) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
    this.#reader = new TarReader(listen((bytes) => void this.#out.push(bytes)));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#reader.push(chunk);
      this.#leave();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#reader.end();
      this.#out.push(endOfArchive());
      this.#leave();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #leave(): void {
    if (this.#out.length > 0) this.push(this.#out.length === 1 ? this.#out[0] : Buffer.concat(this.#out));
    this.#out = [];
  }
}
