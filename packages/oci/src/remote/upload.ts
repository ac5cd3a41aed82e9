import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { OciFault } from '../faults.ts';
import { chain } from '../streams.ts';
import type { BlobStore, Descriptor, TransferOptions } from '../types.ts';
import type { Method, RemoteRepository, RemoteResponse } from './client.ts';
import { Counter } from './counter.ts';
import { StatusError } from './failures.ts';

const CHUNK_BYTES = 8 * 1024 * 1024;
const MAX_CHUNK_BYTES = 512 * 1024 * 1024;

interface Upload {
  readonly blobs: BlobStore;
  readonly remote: RemoteRepository;
  readonly descriptor: Descriptor;
  readonly onProgress: TransferOptions['onProgress'];
  /** A repository of the same registry that is known to have the blob. */
  readonly source: string | undefined;
}

/**
 * Sends a blob that the registry does not have: mounted from a repository there that has it, else whole in one request.
 * A registry that finds this too large gets chunks; one that has kept what came before a connection broke gets the rest.
 */
export class BlobUpload {
  readonly #upload: Upload;
  #location: URL | undefined;
  #offset = 0;
  /** Undefined: all in one request. */
  #chunkBytes: number | undefined;
  #mayMount = true;

  constructor(upload: Upload) {
    this.#upload = upload;
  }

  async send(): Promise<void> {
    const { remote, descriptor } = this.#upload;
    await remote.retrying(`the upload of ${descriptor.digest}`, () => this.#try());
  }

  async #try(): Promise<void> {
    if (this.#location) await this.#resume(this.#location);
    const location = this.#location ?? (await this.#begin());
    if (location === 'mounted') return;
    this.#location = location;
    if (this.#chunkBytes !== undefined || this.#offset > 0) return await this.#sendChunks(location);
    try {
      await this.#sendWhole(location);
    } catch (error) {
      // Some say that it is too large by hanging up: whatever comes next comes in pieces.
      this.#chunkBytes = CHUNK_BYTES;
      if (!(error instanceof StatusError) || error.status !== 413) throw error;
      this.#location = undefined;
      await this.#try();
    }
  }

  /** Asks how far the registry has come; from the start when it does not know. */
  async #resume(location: URL): Promise<void> {
    this.#location = undefined;
    this.#offset = 0;
    try {
      const state = await this.#ask('GET', location);
      const end = Number(/^(?:bytes=)?0-([0-9]{1,15})$/.exec(headerOf(state, 'range') ?? '')?.[1] ?? 0);
      // "0-0" may be nothing as well as one byte: then the little there is is sent again.
      if (end === 0) return;
      this.#offset = end + 1;
      this.#location = this.#next(state);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }

  async #begin(): Promise<URL | 'mounted'> {
    this.#offset = 0;
    const started = await this.#start();
    if (started.statusCode === 201) return 'mounted';
    const least = Number(headerOf(started, 'oci-chunk-min-length') ?? 0);
    if (this.#chunkBytes !== undefined && least > this.#chunkBytes)
      this.#chunkBytes = Math.min(least, MAX_CHUNK_BYTES);
    return this.#next(started);
  }

  async #start(): Promise<RemoteResponse> {
    const { descriptor, source } = this.#upload;
    const body = Buffer.alloc(0);
    if (source === undefined || !this.#mayMount) return await this.#ask('POST', 'blobs/uploads/', { body });
    try {
      const mount = new URLSearchParams({ mount: descriptor.digest, from: source });
      return await this.#ask('POST', `blobs/uploads/?${mount.toString()}`, { body });
    } catch (error) {
      if (!(error instanceof StatusError) || ![400, 401, 403, 404].includes(error.status)) throw error;
      // Who may not read there may still write here.
      this.#mayMount = false;
      return await this.#start();
    }
  }

  async #sendWhole(location: URL): Promise<void> {
    const { blobs, descriptor, onProgress } = this.#upload;
    const body = chain(await blobs.read(descriptor.digest), new Counter(descriptor, onProgress));
    await this.#ask('PUT', this.#final(location), {
      body,
      headers: { 'content-length': String(descriptor.size) },
    });
  }

  async #sendChunks(first: URL): Promise<void> {
    const { size } = this.#upload.descriptor;
    let location = first;
    while (this.#offset < size) {
      const end = Math.min(size, this.#offset + (this.#chunkBytes ?? size));
      location = await this.#sendChunk(location, end);
      this.#location = location;
      this.#offset = end;
    }
    await this.#ask('PUT', this.#final(location), { body: Buffer.alloc(0) });
  }

  async #sendChunk(location: URL, end: number): Promise<URL> {
    const { blobs, descriptor, onProgress } = this.#upload;
    const start = this.#offset;
    const part = createReadStream(blobs.path(descriptor.digest), {
      start,
      end: end - 1,
      highWaterMark: 256 * 1024,
    });
    const body = chain(part, new Counter(descriptor, onProgress, start));
    const headers = { 'content-length': String(end - start), 'content-range': `${start}-${end - 1}` };
    return this.#next(await this.#ask('PATCH', location, { body, headers }));
  }

  async #ask(
    method: Method,
    path: string | URL,
    { body, headers }: { body?: Buffer | Readable; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<RemoteResponse> {
    const typed = { ...(body && { 'content-type': 'application/octet-stream' }), ...headers };
    const answer = await this.#upload.remote.once({ method, path, headers: typed, ...(body && { body }) });
    await answer.body.dump();
    return answer;
  }

  #next(answer: RemoteResponse): URL {
    const location = headerOf(answer, 'location');
    if (location !== undefined) return this.#upload.remote.resolve(location);
    if (this.#location) return this.#location;
    throw new OciFault('REGISTRY_FAILED', `${this.#upload.remote.registry} does not say where to upload`);
  }

  #final(location: URL): URL {
    const target = new URL(location);
    target.searchParams.set('digest', this.#upload.descriptor.digest);
    return target;
  }
}

function headerOf({ headers }: RemoteResponse, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
