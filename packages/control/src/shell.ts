/**
 * A shell in a job: an HTTP upgrade of `GET /v1/runs/{id}/jobs/{job}/shell`, then frames in both directions. A frame is
 * one byte that says what it is, the length of its payload as four bytes (big-endian), and the payload.
 */
export const SHELL_PROTOCOL = 'updraft-shell';

/** The request's header that holds a ShellRequest as JSON, percent-encoded. */
export const SHELL_HEADER = 'updraft-shell';

export interface ShellRequest {
  /** Empty: an interactive shell. */
  readonly command: readonly string[];
  /** The client's terminal; absent: it has none. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

export const shellPath = (run: number, job: string): string =>
  `/v1/runs/${run}/jobs/${encodeURIComponent(job)}/shell`;

/** What a frame is. `resize` holds `{columns, rows}`, `exit` the exit code, both as JSON; `end` closes standard input. */
export const FRAMES = ['stdin', 'end', 'resize', 'stdout', 'stderr', 'exit'] as const;
export type FrameKind = (typeof FRAMES)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

const HEAD_BYTES = 5;
/** Nobody sends more at once; more is not read as a frame. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

export function encodeFrame(kind: FrameKind, payload: Uint8Array = new Uint8Array()): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + payload.length);
  frame[0] = FRAMES.indexOf(kind);
  new DataView(frame.buffer).setUint32(1, payload.length);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

/** Puts frames together out of chunks that are cut anywhere. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array();

  /** @throws Error when the bytes are no frames */
  push(chunk: Uint8Array): readonly Frame[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = new DataView(bytes.buffer, at).getUint32(1);
      const kind = FRAMES[bytes[at] ?? FRAMES.length];
      if (kind === undefined || length > MAX_PAYLOAD_BYTES) throw new Error('these bytes are no frames');
      if (bytes.length - at < HEAD_BYTES + length) break;
      frames.push({ kind, payload: bytes.slice(at + HEAD_BYTES, at + HEAD_BYTES + length) });
      at += HEAD_BYTES + length;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}
