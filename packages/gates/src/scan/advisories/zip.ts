import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { Fault } from '@updraft/kit';

const END_RECORD = 0x0605_4b50;
const END_RECORD_64 = 0x0606_4b50;
const LOCATOR_64 = 0x0706_4b50;
const MEMBER = 0x0201_4b50;
const MAX_COMMENT = 65_535;
const MAX_DIRECTORY_BYTES = 512 * 1024 * 1024;
/** No record is nearly as large; a member that says so is a bomb. */
const MAX_MEMBER_BYTES = 64 * 1024 * 1024;

const inflate = promisify(inflateRaw);

export interface ZipMember {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The files in a zip, one after the other, each held against its checksum.
 * @throws Fault ZIP_INVALID when the archive is cut off, broken or not what it says
 */
export async function* readZip(file: string): AsyncGenerator<ZipMember> {
  const handle = await open(file, 'r');
  try {
    const directory = await readDirectory(handle);
    for (const entry of entriesOf(directory)) {
      if (!entry.name.endsWith('/')) yield { name: entry.name, content: await readMember(handle, entry) };
    }
  } finally {
    await handle.close();
  }
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

async function readDirectory(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat();
  const tailAt = Math.max(0, size - MAX_COMMENT - 22 - 20 - 56);
  const tail = await readExactly(handle, tailAt, size - tailAt);
  const end = findEnd(tail);
  if (end < 0) throw invalid('it has no directory');
  const { length, offset } = directoryPlace(tail, end);
  if (length > MAX_DIRECTORY_BYTES || offset + length > size) throw invalid('its directory is not inside');
  return readExactly(handle, offset, length);
}

function findEnd(tail: Buffer): number {
  for (let at = tail.length - 22; at >= 0; at -= 1) if (tail.readUInt32LE(at) === END_RECORD) return at;
  return -1;
}

/** Of the wide record when there is one: an export has more members than the old one can count. */
function directoryPlace(tail: Buffer, end: number): { length: number; offset: number } {
  const hasLocator = end >= 20 && tail.readUInt32LE(end - 20) === LOCATOR_64;
  const wide = hasLocator ? tail.lastIndexOf(uint32(END_RECORD_64), end) : -1;
  if (wide >= 0 && wide + 56 <= end) {
    return {
      length: Number(tail.readBigUInt64LE(wide + 40)),
      offset: Number(tail.readBigUInt64LE(wide + 48)),
    };
  }
  return { length: tail.readUInt32LE(end + 12), offset: tail.readUInt32LE(end + 16) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function* entriesOf(directory: Buffer): Generator<Entry> {
  let at = 0;
  while (at + 46 <= directory.length) {
    if (directory.readUInt32LE(at) !== MEMBER) throw invalid('its directory is broken');
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const next = at + 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    yield {
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: wideOffset(directory.readUInt32LE(at + 42), extra, directory, at),
    };
    at = next;
  }
}

/** Behind 4 GiB the place stands in an extra field, after those of the sizes that do not fit either. */
function wideOffset(short: number, extra: Buffer, directory: Buffer, at: number): number {
  if (short !== 0xffff_ffff) return short;
  for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2)) {
    if (extra.readUInt16LE(field) !== 1) continue;
    const before = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24)];
    const skip = before.filter((size) => size === 0xffff_ffff).length * 8;
    if (field + 4 + skip + 8 <= extra.length) return Number(extra.readBigUInt64LE(field + 4 + skip));
  }
  throw invalid('a member has no place');
}

async function readMember(handle: FileHandle, entry: Entry): Promise<Buffer> {
  if (entry.bytes > MAX_MEMBER_BYTES || entry.packedBytes > MAX_MEMBER_BYTES) {
    throw invalid(`${entry.name.slice(0, 80)} is too large`);
  }
  const local = await readExactly(handle, entry.offset, 30);
  const body = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = await readExactly(handle, body, entry.packedBytes);
  const content = await unpack(packed, entry);
  if (content.length !== entry.bytes || crc32(content) !== entry.crc) {
    throw invalid(`${entry.name.slice(0, 80)} does not have its checksum`);
  }
  return content;
}

async function unpack(packed: Buffer, { method, name, bytes }: Entry): Promise<Buffer> {
  if (method === 0) return packed;
  if (method !== 8) throw invalid(`${name.slice(0, 80)} is packed in an unknown way`);
  try {
    return await inflate(packed, { maxOutputLength: bytes + 1 });
  } catch (error) {
    throw invalid(`${name.slice(0, 80)} cannot be unpacked`, error);
  }
}

async function readExactly(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  if (bytesRead < length) throw invalid('it is cut off');
  return buffer;
}

function invalid(why: string, cause?: unknown): Fault {
  return new Fault('ZIP_INVALID', `the archive cannot be read: ${why}`, { cause });
}
