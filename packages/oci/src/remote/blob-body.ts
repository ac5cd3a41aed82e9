import { Readable } from 'node:stream';
import { OciFault } from '../faults.ts';
import type { Descriptor } from '../types.ts';
import type { RemoteRepository, RemoteResponse } from './client.ts';

/**
 * The content of a remote blob. A connection that breaks on the way is made again, and goes on where it stopped when the
 * registry can do that. Every step forward starts the count of tries anew.
 */
export class BlobBody {
  readonly stream: Readable;
  readonly #remote: RemoteRepository;
  readonly #descriptor: Descriptor;
  #done = 0;
  #joins = 0;

  constructor(remote: RemoteRepository, descriptor: Descriptor) {
    this.#remote = remote;
    this.#descriptor = descriptor;
    this.stream = Readable.from(this.#pieces(), { objectMode: false, highWaterMark: 256 * 1024 });
  }

  /** The content was put together from several answers. */
  get isJoined(): boolean {
    return this.#joins > 0;
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    const { digest, size } = this.#descriptor;
    for (let attempt = 0; ; attempt += 1) {
      const before = this.#done;
      try {
        yield* this.#onePart();
        if (this.#done >= size) return;
        throw new OciFault('DIGEST_INVALID', `${digest} is shorter than the ${size} bytes its manifest says`);
      } catch (error) {
        if (this.#done > before) attempt = 0;
        await this.#remote.pause(error, attempt, `the blob ${digest}`);
      }
    }
  }

  async *#onePart(): AsyncGenerator<Buffer> {
    const headers: Record<string, string> = this.#done > 0 ? { range: `bytes=${this.#done}-` } : {};
    const path = `blobs/${this.#descriptor.digest}`;
    const response = await this.#remote.once({ method: 'GET', path, headers });
    if (this.#done > 0) this.#joins += 1;
    let skip = this.#done - startOf(response, this.#done);
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      const fresh = chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
      this.#done += fresh.length;
      if (fresh.length > 0) yield fresh;
    }
  }
}

/** Where the answer begins: what was asked for, or at the start when the registry knows no ranges. */
function startOf({ statusCode, headers }: RemoteResponse, asked: number): number {
  if (statusCode !== 206) return 0;
  const range = headers['content-range'];
  const start = Number(/^bytes ([0-9]{1,15})-/.exec(typeof range === 'string' ? range : '')?.[1] ?? NaN);
  if (start <= asked) return start;
  throw new OciFault(
    'REGISTRY_FAILED',
    'the registry answers with another part of a blob than it was asked for',
  );
}
