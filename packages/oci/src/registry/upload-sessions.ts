import { KeyedLock, codeOf, diskFault } from '@updraft/kit';
import { createHash, randomUUID } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { algorithmOf } from '../digest.ts';
import type { LocalImageStore } from '../store/store.ts';
import { Meter, chain } from '../streams.ts';
import type { DiffId, Digest } from '../types.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { WireError } from './errors.ts';

const IDLE_MS = 60 * 60 * 1000;
const MAX_SESSIONS = 1000;
const READ_BYTES = 256 * 1024;
const ID = /^[0-9a-f-]{36}$/;

/** A blob on its way in: a file that grows, and the hash of what it holds. */
interface Session {
  readonly id: string;
  /** Full name (`host/path`); another repository's upload is not to be found. */
  readonly repository: string;
  readonly file: string;
  readonly hash: Hash;
  size: number;
}

interface Place {
  readonly repository: string;
  readonly id: string;
}

/** The uploads of a registry. They outlive its process; one request at a time works on each. */
export class UploadSessions {
  readonly #store: LocalImageStore;
  readonly #sessions = new Map<string, Session>();
  readonly #lock = new KeyedLock();

  constructor(store: LocalImageStore) {
    this.#store = store;
  }

  async open(repository: string): Promise<string> {
    const alive = await this.#dropIdle();
    if (alive >= MAX_SESSIONS) {
      throw new WireError('TOOMANYREQUESTS', 'too many uploads at once', { headers: { 'retry-after': '5' } });
    }
    const id = randomUUID();
    const file = this.#store.uploadFile(id);
    try {
      await (await open(file, 'wx', 0o600)).close();
    } catch (error) {
      throw diskFault(error, file);
    }
    this.#store.records.setUpload(id, repository, this.#store.clock.now());
    this.#sessions.set(id, { id, repository, file, hash: createHash('sha256'), size: 0 });
    return id;
  }

  /** Bytes received so far. */
  async size(at: Place): Promise<number> {
    // While a request still sends, another may ask how far it has come.
    if (this.#sessions.get(at.id)?.repository === at.repository) return this.#sessions.get(at.id)?.size ?? 0;
    return await this.#lock.use(at.id, async () => (await this.#find(at)).size);
  }

  /** Adds bytes that start at `start` (anywhere when undefined) and gives the new size. A cut request keeps what came. */
  async append(at: Place & { start?: number }, body: AsyncIterable<Buffer>): Promise<number> {
    return await this.#lock.use(at.id, async () => {
      const session = await this.#find(at);
      if (at.start !== undefined && at.start !== session.size) throw outOfOrder(at, session);
      const handle = await open(session.file, 'a');
      const writer = new ChunkWriter(handle, (bytes) => (session.size += bytes));
      try {
        await receive(session, writer, body);
      } catch (error) {
        throw diskFault(error, session.file);
      } finally {
        // What came is kept, so that an upload that broke off can go on from where it says it is.
        await this.#settle(session, writer);
        await handle.close();
      }
      return session.size;
    });
  }

  /**
   * Makes the upload the blob it should be.
   * @throws WireError DIGEST_INVALID when it is another; the upload is gone then
   */
  async finish(at: Place, expected: Digest): Promise<void> {
    await this.#lock.use(at.id, async () => {
      const session = await this.#find(at);
      this.#forget(session.id);
      const own: DiffId = `sha256:${session.hash.digest('hex')}`;
      const found = algorithmOf(expected) === 'sha256' ? own : await digestOfFile(session.file, expected);
      if (found !== expected) {
        await rm(session.file, { force: true });
        throw new WireError('DIGEST_INVALID', `the content’s digest is ${found}`);
      }
      await this.#store.blobs.adopt(session.file, own, expected);
      this.#store.records.addBlob(at.repository, expected, this.#store.clock.now());
    });
  }

  async cancel(at: Place): Promise<void> {
    await this.#lock.use(at.id, async () => {
      const session = await this.#find(at);
      this.#forget(session.id);
      await rm(session.file, { force: true });
    });
  }

  async #settle(session: Session, writer: ChunkWriter): Promise<void> {
    try {
      await writer.end();
    } catch {
      // The hash is ahead of the file: both are read anew from the file when somebody asks. The fault was thrown.
      this.#sessions.delete(session.id);
    }
    this.#store.records.setUpload(session.id, session.repository, this.#store.clock.now());
  }

  #forget(id: string): void {
    this.#sessions.delete(id);
    this.#store.records.removeUpload(id);
  }

  async #find({ repository, id }: Place): Promise<Session> {
    const session = this.#sessions.get(id) ?? (await this.#revived(id));
    if (session?.repository === repository) return session;
    throw new WireError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
  }

  /** An upload that a process before this one has begun goes on with what of it is on the disk. */
  async #revived(id: string): Promise<Session | undefined> {
    const repository = ID.test(id) ? this.#store.records.uploadRepository(id) : undefined;
    if (repository === undefined) return undefined;
    const file = this.#store.uploadFile(id);
    const session: Session = { id, repository, file, hash: createHash('sha256'), size: 0 };
    try {
      for await (const chunk of reading(file)) {
        session.hash.update(chunk);
        session.size += chunk.length;
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#forget(id);
      return undefined;
    }
    this.#sessions.set(id, session);
    return session;
  }

  /** @returns how many uploads there still are */
  async #dropIdle(): Promise<number> {
    const oldest = this.#store.clock.now() - IDLE_MS;
    const all = this.#store.records.uploads();
    const idle = all.filter(({ touchedMs }) => touchedMs < oldest);
    for (const { id } of idle) {
      this.#forget(id);
      await rm(this.#store.uploadFile(id), { force: true });
    }
    return all.length - idle.length;
  }
}

async function receive(session: Session, writer: ChunkWriter, body: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of body) {
    session.hash.update(chunk);
    await writer.add(chunk);
  }
  await writer.end();
}

const reading = (file: string): AsyncIterable<Buffer> & Readable =>
  createReadStream(file, { highWaterMark: READ_BYTES });

async function digestOfFile(file: string, like: Digest): Promise<Digest> {
  const meter = new Meter(algorithmOf(like));
  chain(reading(file), meter).resume();
  await finished(meter);
  return meter.digest;
}

function outOfOrder({ repository, id }: Place, session: Session): WireError {
  const path = repository.slice(repository.indexOf('/') + 1);
  return new WireError('BLOB_UPLOAD_INVALID', `the next byte is ${session.size}`, {
    status: 416,
    headers: { range: rangeHeader(session.size), location: `/v2/${path}/blobs/uploads/${id}` },
  });
}

/** What was received, both ends included. The specification has no way to say "nothing". */
export function rangeHeader(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}
