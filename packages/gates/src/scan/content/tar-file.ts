import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { cleanPath, whiteoutOf } from './entry.ts';
import type { LayerContent, LayerEntry } from './entry.ts';

const BLOCK = 512;
const WINDOW_BYTES = 256 * 1024;
/** Long names and extended headers beyond this are nobody's honest file. */
const MAX_HEADER_BYTES = 1024 * 1024;

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly mode: number;
}

/**
 * The members of an uncompressed tar file. Jumps from header to header: bodies are only read when they are asked for,
 * so a layer of hundreds of megabytes costs a few milliseconds. Ends quietly at the first header that is none.
 */
export async function* readTarFile(file: string): LayerContent {
  const handle = await open(file, 'r');
  try {
    yield* new TarFile(handle).entries();
  } finally {
    await handle.close();
  }
}

class TarFile {
  readonly #handle: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async *entries(): LayerContent {
    let at = 0;
    let override: Partial<Header> = {};
    for (;;) {
      const header = parseHeader(await this.#bytes(at, BLOCK));
      if (header === undefined) return;
      const body = at + BLOCK;
      const size = isExtension(header) ? header.size : (override.size ?? header.size);
      if (isExtension(header)) {
        override = { ...override, ...(await this.#extension(header, body)) };
      } else {
        const entry = this.#entry({ ...header, ...override }, body);
        override = {};
        if (entry !== undefined) yield entry;
      }
      at = body + Math.ceil(size / BLOCK) * BLOCK;
    }
  }

  #entry(header: Header, body: number): LayerEntry | undefined {
    const path = cleanPath(header.name);
    if (path === undefined) return undefined;
    const { size } = header;
    const read = () => this.#exactly(body, size);
    const readAt = (offset: number, length: number) =>
      this.#bytes(body + offset, Math.min(length, Math.max(0, size - offset)));
    const access = { isExecutable: (header.mode & 0o111) !== 0, read, readAt };
    const gone = whiteoutOf(path);
    if (gone !== undefined) return { ...gone, size: 0, ...access };
    return { path, kind: kindOf(header.type), size, ...access };
  }

  async #extension(header: Header, body: number): Promise<Partial<Header>> {
    if (header.type === 'g' || header.type === 'K' || header.size > MAX_HEADER_BYTES) return {};
    const content = await this.#exactly(body, header.size);
    if (header.type === 'L') return { name: cString(content) };
    return paxFields(content);
  }

  /** Headers come through a window, so that small files next to each other cost one read together. */
  async #bytes(at: number, length: number): Promise<Buffer> {
    if (length > WINDOW_BYTES) return this.#exactly(at, length);
    const isInside = at >= this.#windowAt && at + length <= this.#windowAt + this.#window.length;
    if (!isInside) {
      this.#window = await this.#exactly(at, WINDOW_BYTES);
      this.#windowAt = at;
    }
    return this.#window.subarray(at - this.#windowAt, at - this.#windowAt + length);
  }

  async #exactly(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, at);
    return buffer.subarray(0, bytesRead);
  }
}

function parseHeader(block: Buffer): Header | undefined {
  if (block.length < BLOCK || block[0] === 0) return undefined;
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined) return undefined;
  const name = cString(block.subarray(0, 100));
  const isUstar = block.toString('latin1', 257, 262) === 'ustar' && block[262] === 0;
  const prefix = isUstar ? cString(block.subarray(345, 500)) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size,
    type: String.fromCharCode(block[156] ?? 0),
    mode: parseNumber(block.subarray(100, 108)) ?? 0,
  };
}

function parseNumber(field: Buffer): number | undefined {
  if ((field[0] ?? 0) & 0x80) {
    const value = field.subarray(4).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = cString(field).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : undefined;
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

const isExtension = ({ type }: Header): boolean => ['L', 'K', 'x', 'g'].includes(type);

/** Records `LENGTH key=value\n`; of the keys only two matter here. */
function paxFields(content: Buffer): Partial<Header> {
  const fields: { name?: string; size?: number } = {};
  let at = 0;
  while (at < content.length) {
    const length = Number.parseInt(content.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const record = content.toString('utf8', at, at + length);
    const match = /^\d+ (path|size)=(.*)\n$/s.exec(record);
    if (match?.[1] === 'path') fields.name = match[2] ?? '';
    if (match?.[1] === 'size' && /^\d{1,15}$/.test(match[2] ?? '')) fields.size = Number(match[2]);
    at += length;
  }
  return fields;
}

function kindOf(type: string): LayerEntry['kind'] {
  if (type === '0' || type === '\0' || type === '7') return 'file';
  return type === '2' ? 'symlink' : 'other';
}
