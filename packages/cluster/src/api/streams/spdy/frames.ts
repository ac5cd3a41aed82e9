import { badRequest } from '../../status.ts';

/** A frame of SPDY/3.1 as it came. */
export type Frame =
  | { readonly kind: 'data'; readonly stream: number; readonly flags: number; readonly payload: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly payload: Buffer };

export const SYN_STREAM = 1;
export const SYN_REPLY = 2;
export const RST_STREAM = 3;
export const PING = 6;
export const GOAWAY = 7;
/** The sender of a frame with this flag sends no more on its stream. */
export const FIN = 1;

const HEAD_BYTES = 8;
const CONTROL = 0x80000000;
const VERSION = 3;
const MAX_FRAME_BYTES = 1024 * 1024;

/** Cuts bytes into frames, however they arrive. */
export class FrameReader {
  #waiting: Buffer[] = [];
  #bytes = 0;

  /** @throws ApiFault 400 for frames of another version, or of more than a MiB */
  *read(chunk: Buffer): Generator<Frame> {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    for (let frame = this.#next(); frame; frame = this.#next()) yield frame;
  }

  #next(): Frame | undefined {
    if (this.#bytes < HEAD_BYTES) return undefined;
    const head = this.#peek(HEAD_BYTES);
    const length = head.readUInt32BE(4) & 0xffffff;
    if (length > MAX_FRAME_BYTES) throw badRequest('SPDY: the frame is too large');
    if (this.#bytes < HEAD_BYTES + length) return undefined;
    const whole = this.#peek(HEAD_BYTES + length);
    const payload = whole.subarray(HEAD_BYTES, HEAD_BYTES + length);
    this.#drop(HEAD_BYTES + length);
    return frameOf(head, payload);
  }

  /** At least that many bytes in one piece. */
  #peek(length: number): Buffer {
    const [first] = this.#waiting;
    if (first && first.length >= length) return first;
    const joined = Buffer.concat(this.#waiting);
    this.#waiting = [joined];
    return joined;
  }

  #drop(length: number): void {
    const rest = this.#waiting[0]?.subarray(length) ?? Buffer.alloc(0);
    this.#bytes -= length;
    if (rest.length > 0) this.#waiting[0] = rest;
    else this.#waiting.shift();
  }
}

function frameOf(head: Buffer, payload: Buffer): Frame {
  const first = head.readUInt32BE(0);
  const flags = head.readUInt8(4);
  if (first < CONTROL) return { kind: 'data', stream: first, flags, payload };
  const version = (first >>> 16) & 0x7fff;
  if (version !== VERSION) throw badRequest(`SPDY: version ${version} is not spoken here`);
  return { kind: 'control', type: first & 0xffff, flags, payload };
}

export function dataFrame(stream: number, flags: number, payload: Buffer): Buffer {
  return frame(stream, flags, payload);
}

export function controlFrame(type: number, payload: Buffer): Buffer {
  return frame(CONTROL + VERSION * 0x10000 + type, 0, payload);
}

function frame(first: number, flags: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUInt32BE(first, 0);
  bytes.writeUInt32BE(flags * 0x1000000 + payload.length, 4);
  payload.copy(bytes, HEAD_BYTES);
  return bytes;
}

/** Numbers of four bytes each, as control frames carry them. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
