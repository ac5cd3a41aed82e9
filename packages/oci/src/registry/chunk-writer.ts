import type { FileHandle } from 'node:fs/promises';

const PENDING_BYTES = 4 * 1024 * 1024;

/** Appends small pieces to a file in large ones: what comes while the disk works is written together next. */
export class ChunkWriter {
  readonly #handle: FileHandle;
  readonly #onWritten: (bytes: number) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(handle: FileHandle, onWritten: (bytes: number) => void) {
    this.#handle = handle;
    this.#onWritten = onWritten;
  }

  /** Waits only when much is pending. @throws what writing an earlier piece has failed with */
  async add(chunk: Buffer): Promise<void> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.#running ??= this.#drain();
    if (this.#pendingBytes > PENDING_BYTES) await this.end();
    else this.#check();
  }

  /** Everything is written. @throws what writing has failed with */
  async end(): Promise<void> {
    await this.#running;
    this.#check();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const chunks = this.#pending;
        this.#pending = [];
        this.#pendingBytes = 0;
        await this.#write(chunks);
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#running = undefined;
    }
  }

  async #write(chunks: Buffer[]): Promise<void> {
    const { bytesWritten } = await this.#handle.writev(chunks);
    this.#onWritten(bytesWritten);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    // A disk that takes a part only is about to be full; the next try says so.
    if (bytesWritten < bytes) await this.#write([Buffer.concat(chunks).subarray(bytesWritten)]);
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
