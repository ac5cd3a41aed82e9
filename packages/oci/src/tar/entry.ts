import { OciFault } from '../faults.ts';
import type { SparseMap } from './sparse.ts';

export type EntryType = 'file' | 'hardLink' | 'symlink' | 'char' | 'block' | 'folder' | 'fifo';

/**
 * One member of a tar archive. Texts are byte strings (one character, one byte: 'latin1'), since file names are bytes
 * and need not be UTF-8.
 */
export interface TarEntry {
  readonly path: string;
  readonly type: EntryType;
  readonly linkPath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970, maybe with a fraction, maybe negative. */
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Of a file with holes; `size` is then what is in the archive. */
  readonly sparse?: SparseMap;
  /** Extended attributes: name -> value, bytes. */
  readonly xattrs: ReadonlyMap<string, string>;
}

export const BLOCK = 512;

/** Zero bytes that fill the last block of a body. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export function invalidLayer(message: string): OciFault {
  return new OciFault('LAYER_INVALID', message);
}

/** A byte string as it may be shown: printable, and not endless. */
export function shownPath(path: string): string {
  const text = JSON.stringify(Buffer.from(path, 'latin1').toString('utf8'));
  return text.length > 200 ? `${text.slice(0, 200)}…"` : text;
}
