import { codeOf, diskFault } from '@updraft/kit';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync, statSync, utimesSync } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { algorithmOf, blobPath, digestLike, digestOf, parseDigest } from '../digest.ts';
import type { Algorithm } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { MAX_CONFIG_BYTES } from '../manifest.ts';
import { Verifier, chain, wrongDigest } from '../streams.ts';
import type { BlobStore, DiffId, Digest } from '../types.ts';
import type { StoreFolders } from './folders.ts';
import { Touches } from './touches.ts';

const READ_BYTES = 256 * 1024;

/** Read in one go. */
const SMALL_BYTES = 1024 * 1024;
const BRACE = 0x7b;

/** Blobs as files named by their digest: by sha256 all of them, by sha512 also those that were written so. */
export class FileBlobs implements BlobStore {
  /** Whoever asks for a blob, or writes it, may go on to use it. */
  readonly touches = new Touches();
  readonly #folders: StoreFolders;

  constructor(folders: StoreFolders) {
    this.#folders = folders;
  }

  path(digest: Digest): string {
    return path.join(this.#folders.dir, blobPath(parseDigest(digest)));
  }

  /** A promise by contract; the answer is there at once, in a tenth of the time of an asynchronous call. */
  size(digest: Digest): Promise<number | undefined> {
    this.touches.note(digest);
    return Promise.resolve(statSync(this.path(digest), { throwIfNoEntry: false })?.size);
  }

  async read(digest: Digest): Promise<Readable> {
    this.touches.note(digest);
    const handle = await this.#open(digest);
    const { ino } = await handle.stat();
    const file = handle.createReadStream({ highWaterMark: READ_BYTES });
    return chain(file, new Verifier(digest, 'a blob in the store', () => this.#discard(digest, ino)));
  }

  async write(content: Readable | Uint8Array, expected?: Digest): Promise<{ digest: DiffId; size: number }> {
    if (expected !== undefined) parseDigest(expected);
    if (content instanceof Uint8Array && this.#touchEqual(content, expected))
      return { digest: digestOf(content), size: content.length };
    // A source may fail before it is first read from; reading reports it then.
    if (!(content instanceof Uint8Array)) content.on('error', () => undefined);
    const file = this.temporary();
    const handle = await open(file, 'wx', 0o600);
    try {
      const chunks = content instanceof Uint8Array ? [content] : content;
      const { size, ...found } = await copyHashed(chunks, handle, algorithmOf(expected ?? 'sha256:'));
      if (expected !== undefined && found.like !== expected) {
        throw wrongDigest('the content', expected, found.like);
      }
      await handle.close();
      await this.adopt(file, found.digest, expected);
      return { digest: found.digest, size };
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(file, { force: true });
      throw diskFault(error, file);
    }
  }

  /** Small content, whole and verified; a larger blob is a fault, whatever it claims to be. */
  async readSmall(digest: Digest, limit: number): Promise<Buffer> {
    const size = await this.size(digest);
    if (size === undefined) throw unknownBlob(digest);
    if (size > limit) throw new OciFault('MANIFEST_INVALID', `${digest} is larger than ${limit} bytes`);
    // What is small is read in one go: a stream takes ten times as long.
    const content = size <= SMALL_BYTES ? readIfPresent(this.path(digest)) : undefined;
    if (content && content.length <= limit && digestLike(digest, content) === digest) return content;
    const chunks: Buffer[] = [];
    for await (const chunk of await this.read(digest)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** A JSON document, for one who only looks: that counts as no use. undefined: none, damaged or large. */
  peek(digest: Digest): Buffer | undefined {
    const size = statSync(this.path(digest), { throwIfNoEntry: false })?.size ?? Infinity;
    const content = size <= MAX_CONFIG_BYTES ? readIfPresent(this.path(digest)) : undefined;
    return content?.[0] === BRACE && digestLike(digest, content) === digest ? content : undefined;
  }

  /** Manifests and configs are mostly made again as they were: then only the time of arrival is another. */
  #touchEqual(content: Uint8Array, expected: Digest | undefined): boolean {
    if (content.length > SMALL_BYTES || (expected !== undefined && algorithmOf(expected) !== 'sha256'))
      return false;
    const digest = digestOf(content);
    if (expected !== undefined && expected !== digest) return false;
    this.touches.note(digest);
    const file = this.path(digest);
    if (readIfPresent(file)?.equals(content) !== true) return false;
    return touch(file);
  }

  /** The path of a new temporary file on the blobs' file system. */
  temporary(): string {
    return path.join(this.#folders.tmp, `blob-${randomBytes(9).toString('hex')}`);
  }

  /** Makes a finished temporary file, whose digests the caller has computed, the blob; of both names, if it has two. */
  async adopt(file: string, digest: DiffId, other: Digest = digest): Promise<void> {
    for (const name of [digest, other]) this.touches.note(name);
    await rename(file, this.path(digest));
    if (other !== digest) await this.#name(this.path(digest), this.path(other));
  }

  /** An unverified part of a blob, both ends included; for range requests. */
  readRange(digest: Digest, start: number, end: number): Readable {
    return createReadStream(this.path(digest), { start, end, highWaterMark: READ_BYTES });
  }

  /** A second name for a file that is there. */
  async #name(file: string, second: string): Promise<void> {
    try {
      await link(file, second);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }

  /** What was found to be damaged is worth less than nothing: without it the next pull or build makes it anew. */
  async #discard(digest: Digest, ino: number): Promise<void> {
    const file = this.path(digest);
    if ((await stat(file)).ino === ino) await rm(file, { force: true });
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.path(digest), 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw unknownBlob(digest);
      throw error;
    }
  }
}

/** Gives a file a new time of status, which is when it arrived; false when it is gone. */
function touch(file: string): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) return false;
  try {
    utimesSync(file, status.atime, status.mtime);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function readIfPresent(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function unknownBlob(digest: Digest): OciFault {
  return new OciFault('BLOB_UNKNOWN', `the store does not hold ${digest}`, {
    next: 'Pull or build the image again.',
  });
}

async function copyHashed(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  handle: FileHandle,
  algorithm: Algorithm,
): Promise<{ digest: DiffId; like: Digest; size: number }> {
  const hash = createHash('sha256');
  const second = algorithm === 'sha256' ? undefined : createHash(algorithm);
  let size = 0;
  // The disk works on one chunk while the next is made and hashed.
  let writing = Promise.resolve();
  for await (const chunk of content) {
    hash.update(chunk);
    second?.update(chunk);
    size += chunk.length;
    await writing;
    writing = writeAll(handle, chunk);
    // Its failure is met at the next await; until then it must not count as unhandled.
    writing.catch(() => undefined);
  }
  await writing;
  const digest: DiffId = `sha256:${hash.digest('hex')}`;
  return { digest, like: second ? `${algorithm}:${second.digest('hex')}` : digest, size };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, offset);
    offset += bytesWritten;
  }
}
