import { BLOCK, paddingOf } from './entry.ts';
import type { EntryType, TarEntry } from './entry.ts';
import { checksumOf, writeNumber } from './numbers.ts';
import { paxRecord } from './pax.ts';
import { encodeMap } from './sparse.ts';
import type { SparseMap } from './sparse.ts';

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardLink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  folder: '5',
  fifo: '6',
};

const NO_XATTRS: ReadonlyMap<string, string> = new Map();

/** An entry with everything but path and type at its plainest. */
export function plainEntry(path: string, type: EntryType, change: Partial<TarEntry> = {}): TarEntry {
  return {
    path,
    type,
    linkPath: '',
    mode: type === 'folder' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: NO_XATTRS,
    ...change,
  };
}

/**
 * The header of an entry, PAX header first where one is needed: for names that are long or not ASCII, large numbers,
 * fractions of a second and extended attributes. `more` are records to add. The same entry always gives the same bytes.
 */
export function encodeHeader(entry: TarEntry, more: readonly string[] = []): Buffer {
  const header = Buffer.alloc(BLOCK);
  const pax = [...more];
  const path = entry.type === 'folder' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  writeText(header, path, { start: 0, key: 'path', pax });
  writeText(header, entry.linkPath, { start: 157, key: 'linkpath', pax });
  writeNumber(header, entry.mode, 100, 8);
  writeOr(header, entry.uid, { start: 108, length: 8, key: 'uid', pax });
  writeOr(header, entry.gid, { start: 116, length: 8, key: 'gid', pax });
  writeOr(header, entry.size, { start: 124, length: 12, key: 'size', pax });
  writeOr(header, entry.mtime, { start: 136, length: 12, key: 'mtime', pax });
  writeNumber(header, entry.deviceMajor, 329, 8);
  writeNumber(header, entry.deviceMinor, 337, 8);
  for (const name of [...entry.xattrs.keys()].toSorted()) {
    pax.push(paxRecord(`SCHILY.xattr.${name}`, entry.xattrs.get(name) ?? ''));
  }
  seal(header, FLAGS[entry.type]);
  return pax.length === 0 ? header : Buffer.concat([paxHeader(pax.join('')), header]);
}

/**
 * The header of a file with holes, and the map that comes before its content (`entry.size` bytes). GNU tar makes the
 * holes again.
 */
export function encodeSparseHeader(entry: TarEntry, sparse: SparseMap): Buffer {
  const map = encodeMap(sparse);
  const { sparse: _sparse, ...plain } = entry;
  const records = [
    paxRecord('GNU.sparse.major', '1'),
    paxRecord('GNU.sparse.minor', '0'),
    paxRecord('GNU.sparse.name', entry.path),
    paxRecord('GNU.sparse.realsize', String(sparse.realSize)),
  ];
  return Buffer.concat([
    encodeHeader({ ...plain, path: 'GNUSparseFile.0/sparse', size: map.length + entry.size }, records),
    map,
  ]);
}

/** Zero bytes that close a body of `size` bytes. */
export function padding(size: number): Buffer {
  return Buffer.alloc(paddingOf(size));
}

/** The two empty blocks that end an archive. */
export function endOfArchive(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

function paxHeader(records: string): Buffer {
  const body = Buffer.from(records, 'latin1');
  const header = Buffer.alloc(BLOCK);
  header.write('PaxHeader', 0, 'latin1');
  writeNumber(header, 0o644, 100, 8);
  writeNumber(header, 0, 108, 8);
  writeNumber(header, 0, 116, 8);
  writeNumber(header, body.length, 124, 12);
  writeNumber(header, 0, 136, 12);
  seal(header, 'x');
  return Buffer.concat([header, body, padding(body.length)]);
}

function seal(header: Buffer, flag: string): void {
  header.write(flag, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

interface Field {
  readonly start: number;
  readonly key: string;
  readonly pax: string[];
}

const ASCII = /^[ -~]*$/;

function writeText(header: Buffer, text: string, { start, key, pax }: Field): void {
  if (text.length > 100 || !ASCII.test(text)) pax.push(paxRecord(key, text));
  header.write(text.slice(0, 100), start, 'latin1');
}

function writeOr(header: Buffer, value: number, field: Field & { length: number }): void {
  if (writeNumber(header, value, field.start, field.length)) return;
  writeNumber(header, Math.max(0, Math.floor(value)) % 8 ** (field.length - 1), field.start, field.length);
  field.pax.push(paxRecord(field.key, numberText(value)));
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/0+$/, '');
}
