import { OciFault } from '../faults.ts';

/** What a window may take; the program zstd has the same limit. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const MAGIC = 0xfd2fb528;
/** Any of sixteen: frames that hold something else than content. */
const SKIPPABLE = 0x184d2a50;
const LONGEST_HEADER = 18;
const BLOCK_HEADER = 3;
/** A block of this type is one byte that stands for many. */
const REPEATED = 1;
const RESERVED = 3;

/** Bytes of one frame; `isLast` when it ends with them. */
export type FramePart = (bytes: Buffer, isLast: boolean) => void;

interface Waiting {
  readonly for: 'frame' | 'block' | 'content' | 'skipped';
  /** Bytes until there is something new to read; of a header, how many make it readable. */
  readonly bytes: number;
  readonly isLast: boolean;
}

/**
 * Finds the frames in a stream that comes in pieces of any size, without unpacking them, and refuses those that would
 * take too much memory or need what is not in the stream.
 */
export class ZstdFrames {
  readonly #tell: FramePart;
  #waiting: Waiting = { for: 'frame', bytes: 4, isLast: false };
  #header = Buffer.alloc(0);
  #checksumBytes = 0;

  constructor(tell: FramePart) {
    this.#tell = tell;
  }

  /** @throws OciFault LAYER_INVALID, LAYER_TOO_LARGE, LAYER_UNSUPPORTED */
  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) {
      const { for: what, bytes } = this.#waiting;
      rest = what === 'frame' || what === 'block' ? this.#gather(rest, bytes) : this.#pass(rest, bytes);
    }
  }

  /** @throws OciFault LAYER_INVALID when the stream stops inside a frame */
  end(): void {
    if (this.#waiting.for !== 'frame' || this.#header.length > 0) throw damaged('it ends too early');
  }

  #gather(rest: Buffer, wanted: number): Buffer {
    const missing = wanted - this.#header.length;
    this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
    if (this.#header.length >= wanted) {
      if (this.#waiting.for === 'frame') this.#frameHeader();
      else this.#blockHeader();
    }
    return rest.subarray(missing);
  }

  #pass(rest: Buffer, wanted: number): Buffer {
    const part = rest.subarray(0, wanted);
    const left = wanted - part.length;
    const { for: what, isLast } = this.#waiting;
    if (what === 'content') this.#tell(part, isLast && left === 0);
    if (left > 0) this.#waiting = { for: what, bytes: left, isLast };
    else this.#next(isLast || what === 'skipped');
    return rest.subarray(part.length);
  }

  #next(isFrameOver: boolean): void {
    this.#waiting = isFrameOver
      ? { for: 'frame', bytes: 4, isLast: false }
      : { for: 'block', bytes: BLOCK_HEADER, isLast: false };
  }

  #frameHeader(): void {
    const header = this.#header;
    const magic = header.readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      if (header.length < 8) return this.#more(8);
      this.#header = Buffer.alloc(0);
      const bytes = header.readUInt32LE(4);
      if (bytes === 0) return this.#next(true);
      this.#waiting = { for: 'skipped', bytes, isLast: true };
      return;
    }
    if (magic !== MAGIC) throw damaged('a frame has no mark of its own');
    if (header.length < 5) return this.#more(5);
    const wanted = headerBytes(header[4] ?? 0);
    if (header.length < wanted) return this.#more(wanted);
    checkHeader(header);
    this.#checksumBytes = ((header[4] ?? 0) & 4) === 0 ? 0 : 4;
    this.#take(header);
    this.#next(false);
  }

  #blockHeader(): void {
    const header = this.#header;
    const word = header.readUIntLE(0, BLOCK_HEADER);
    const type = (word >> 1) & 3;
    if (type === RESERVED) throw damaged('a block has a type that does not exist');
    const isLast = (word & 1) === 1;
    const bytes = (type === REPEATED ? 1 : word >> 3) + (isLast ? this.#checksumBytes : 0);
    this.#take(header, isLast && bytes === 0);
    if (bytes === 0) return this.#next(isLast);
    this.#waiting = { for: 'content', bytes, isLast };
  }

  #take(header: Buffer, isLast = false): void {
    this.#header = Buffer.alloc(0);
    this.#tell(header, isLast);
  }

  #more(bytes: number): void {
    this.#waiting = { ...this.#waiting, bytes: Math.min(bytes, LONGEST_HEADER) };
  }
}

const isSingleSegment = (flags: number): boolean => (flags & 32) !== 0;

/** Of the frame's size as the header has it: 0, 1, 2, 4 or 8 bytes. */
function sizeBytes(flags: number): number {
  const code = flags >> 6;
  return code === 0 ? Number(isSingleSegment(flags)) : 1 << code;
}

function dictionaryBytes(flags: number): number {
  return [0, 1, 2, 4][flags & 3] ?? 0;
}

function headerBytes(flags: number): number {
  return 5 + Number(!isSingleSegment(flags)) + dictionaryBytes(flags) + sizeBytes(flags);
}

function checkHeader(header: Buffer): void {
  const flags = header[4] ?? 0;
  if ((flags & 8) !== 0) throw damaged('a frame has a flag that does not exist');
  if (
    header
      .subarray(header.length - sizeBytes(flags) - dictionaryBytes(flags), header.length - sizeBytes(flags))
      .some(Boolean)
  )
    throw new OciFault(
      'LAYER_UNSUPPORTED',
      'a layer is compressed by zstd with a dictionary, which is not in it',
    );
  if (windowBytes(header, flags) > MAX_WINDOW_BYTES)
    throw new OciFault(
      'LAYER_TOO_LARGE',
      `a layer compressed by zstd wants more than ${MAX_WINDOW_BYTES} bytes of memory`,
    );
}

function windowBytes(header: Buffer, flags: number): number {
  if (!isSingleSegment(flags)) {
    const code = header[5] ?? 0;
    const base = 2 ** (10 + (code >> 3));
    return base + (base / 8) * (code & 7);
  }
  const field = header.subarray(header.length - sizeBytes(flags));
  return field.length === 8 ? Number(field.readBigUInt64LE()) : field.readUIntLE(0, field.length);
}

export function damaged(why: string, cause?: unknown): OciFault {
  return new OciFault('LAYER_INVALID', `a compressed layer is damaged: ${why}`, { cause });
}
