import { callStatx } from './system-calls.ts';

/** What `lstat` tells of a file. */
export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'link' | 'character' | 'block' | 'pipe' | 'socket';
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** How many names it has. */
  readonly names: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** Of a device. */
  readonly device: bigint;
  /** Equal for names of one file. */
  readonly file: string;
  /** Another one whenever the content is another: file, size, and the times of content and status to the nanosecond. */
  readonly identity: string;
}

const KINDS: ReadonlyMap<number, FileStatus['kind']> = new Map([
  [0o010000, 'pipe'],
  [0o020000, 'character'],
  [0o040000, 'folder'],
  [0o060000, 'block'],
  [0o100000, 'file'],
  [0o120000, 'link'],
  [0o140000, 'socket'],
]);

const answer = Buffer.alloc(256);

/**
 * The status of a name in an open folder (a descriptor), or of an absolute path; links are not followed, and nothing there
 * is undefined. A third of what Node's own costs, for whoever asks about thousands of files.
 * @throws PodsFault SYSTEM_CALL_FAILED
 */
export function statusAt(folder: number, name: string | Buffer): FileStatus | undefined {
  if (!callStatx(folder, name, answer)) return undefined;
  const mode = answer.readUInt16LE(28);
  // Number and size; times of status and content, with four zeros between; device.
  const numberAndSize = answer.toString('latin1', 32, 48);
  const device = answer.toString('latin1', 136, 144);
  return {
    kind: KINDS.get(mode & 0o170000) ?? 'character',
    mode,
    uid: answer.readUInt32LE(20),
    gid: answer.readUInt32LE(24),
    names: answer.readUInt32LE(16),
    mtimeMs: timeAt(112),
    ctimeMs: timeAt(96),
    device: deviceOf(answer.readUInt32LE(128), answer.readUInt32LE(132)),
    file: device + numberAndSize.slice(0, 8),
    identity: numberAndSize + answer.toString('latin1', 96, 124) + device,
  };
}

/** Seconds as 64 bits, nanoseconds as 32. */
function timeAt(offset: number): number {
  const seconds = answer.readUInt32LE(offset) + answer.readInt32LE(offset + 4) * 2 ** 32;
  return seconds * 1000 + answer.readUInt32LE(offset + 8) / 1e6;
}

const NO_DEVICE = 0n;

function deviceOf(major: number, minor: number): bigint {
  if (major === 0 && minor === 0) return NO_DEVICE;
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}
