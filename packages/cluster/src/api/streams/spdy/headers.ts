import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { badRequest } from '../../status.ts';
import { DICTIONARY } from './dictionary.table.ts';

const WINDOW_BYTES = 32 * 1024;
const MAX_BLOCK_BYTES = 64 * 1024;
const FDICT = 0x20;
const SYNC = { finishFlush: constants.Z_SYNC_FLUSH };

export type Headers = ReadonlyMap<string, string>;

/**
 * Reads the header blocks of one connection, in order: they are one compressed stream that is flushed after each block,
 * so what was read before is the dictionary of the next one.
 */
export class HeaderReader {
  #window: Buffer = DICTIONARY;
  #started = false;

  /** @throws ApiFault 400 */
  read(block: Buffer): Headers {
    const body = this.#started ? block : withoutPreamble(block);
    this.#started = true;
    const text = inflate(body, this.#window);
    this.#window = Buffer.concat([this.#window, text]).subarray(-WINDOW_BYTES);
    return parseHeaders(text);
  }
}

/** Writes the header blocks of one connection. Each stands for itself: there are too few to be worth more. */
export class HeaderWriter {
  #started = false;

  write(headers: Headers): Buffer {
    const body = deflateRawSync(formatHeaders(headers), SYNC);
    if (this.#started) return body;
    this.#started = true;
    return Buffer.concat([Buffer.from([0x78, 0x01]), body]);
  }
}

function inflate(block: Buffer, dictionary: Buffer): Buffer {
  try {
    return inflateRawSync(block, { ...SYNC, dictionary, maxOutputLength: MAX_BLOCK_BYTES });
  } catch {
    throw badRequest('SPDY: a header block cannot be read');
  }
}

/** Two bytes that say how it is compressed, and four that name the dictionary. */
function withoutPreamble(block: Buffer): Buffer {
  const flags = block[1] ?? 0;
  return block.subarray((flags & FDICT) === 0 ? 2 : 6);
}

function parseHeaders(text: Buffer): Headers {
  let at = 0;
  const number = () => {
    at += 4;
    if (at > text.length) throw badRequest('SPDY: a header block is cut off');
    return text.readUInt32BE(at - 4);
  };
  const word = () => {
    const length = number();
    at += length;
    if (at > text.length) throw badRequest('SPDY: a header block is cut off');
    return text.toString('utf8', at - length, at);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left -= 1) headers.set(word().toLowerCase(), word());
  return headers;
}

function formatHeaders(headers: Headers): Buffer {
  const parts = [uint32(headers.size)];
  for (const word of [...headers].flat()) {
    const bytes = Buffer.from(word, 'utf8');
    parts.push(uint32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
