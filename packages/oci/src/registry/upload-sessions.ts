import { KeyedLock } from '@updraft/kit';
import { createHash, randomUUID } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { LocalImageStore } from '../store/store.ts';
import type { Digest } from '../types.ts';
import { WireError } from './errors.ts';

const IDLE_MS = 60 * 60 * 1000;
const MAX_SESSIONS = 1000;

/** A blob on its way in: a temporary file that grows, and the hash of what it holds. */
interface Session {
  readonly id: string;
  /** Full name (`host/path`); another repository's upload is not to be found. */
  readonly repository: string;
  readonly file: string;
  readonly hash: Hash;
  size: number;
  touchedMs: number;
}

/** The uploads of a registry. They live as long as its process; one request at a time works on each. */
export class UploadSessions {
  readonly #store: LocalImageStore;
  readonly #sessions = new Map<string, Session>();
  readonly #lock = new KeyedLock();

  constructor(store: LocalImageStore) {
    this.#store = store;
  }

  async open(repository: string): Promise<string> {
    await this.#dropIdle();
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new WireError('UNKNOWN', 'too many uploads at once', {
        status: 429,
        headers: { 'retry-after': '5' },
      });
    }
    const id = randomUUID();
    const file = this.#store.blobs.temporary();
    await (await open(file, 'wx', 0o600)).close();
    const touchedMs = this.#store.clock.now();
    this.#sessions.set(id, { id, repository, file, hash: createHash('sha256'), size: 0, touchedMs });
    return id;
  }

  /** Bytes received so far. */
  size(repository: string, id: string): number {
    return this.#find(repository, id).size;
  }

  /** Adds bytes that start at `start` (anywhere when undefined) and gives the new size. A cut request keeps what came. */
  async append(
    at: { repository: string; id: string; start?: number },
    body: AsyncIterable<Buffer>,
  ): Promise<number> {
    return await this.#lock.use(at.id, async () => {
      const session = this.#find(at.repository, at.id);
      if (at.start !== undefined && at.start !== session.size) throw outOfOrder(session);
      const handle = await open(session.file, 'a');
      try {
        for await (const chunk of body) await this.#grow(session, handle, chunk);
      } finally {
        await handle.close();
      }
      return session.size;
    });
  }

  /**
   * Makes the upload the blob it should be.
   * @throws WireError DIGEST_INVALID when it is another; the upload is gone then
   */
  async finish(repository: string, id: string, expected: Digest): Promise<void> {
    await this.#lock.use(id, async () => {
      const session = this.#find(repository, id);
      this.#sessions.delete(id);
      const found: Digest = `sha256:${session.hash.digest('hex')}`;
      if (found !== expected) {
        await rm(session.file, { force: true });
        throw new WireError('DIGEST_INVALID', `the content’s digest is ${found}`);
      }
      await this.#store.blobs.adopt(session.file, found);
      this.#store.records.addBlob(repository, found, this.#store.clock.now());
    });
  }

  async cancel(repository: string, id: string): Promise<void> {
    const session = this.#find(repository, id);
    this.#sessions.delete(id);
    await rm(session.file, { force: true });
  }

  async #grow(session: Session, handle: FileHandle, chunk: Buffer): Promise<void> {
    session.touchedMs = this.#store.clock.now();
    for (let offset = 0; offset < chunk.length;) {
      const { bytesWritten } = await handle.write(chunk, offset);
      // File, hash and size go together, so that an upload that broke off can go on from where it says it is.
      session.hash.update(chunk.subarray(offset, offset + bytesWritten));
      session.size += bytesWritten;
      offset += bytesWritten;
    }
  }

  #find(repository: string, id: string): Session {
    const session = this.#sessions.get(id);
    if (session?.repository === repository) return session;
    throw new WireError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
  }

  async #dropIdle(): Promise<void> {
    const oldest = this.#store.clock.now() - IDLE_MS;
    for (const session of this.#sessions.values()) {
      if (session.touchedMs < oldest) await this.cancel(session.repository, session.id);
    }
  }
}

function outOfOrder(session: Session): WireError {
  return new WireError('BLOB_UPLOAD_INVALID', `the next byte is ${session.size}`, {
    status: 416,
    headers: { range: rangeHeader(session.size) },
  });
}

/** What was received, both ends included. The specification has no way to say "nothing". */
export function rangeHeader(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}
