import { BLOCK, invalidLayer, paddingOf, shownPath } from './entry.ts';
import type { EntryType, TarEntry } from './entry.ts';
import { checksumOf, readNumber } from './numbers.ts';
import { readPax } from './pax.ts';
import { SparseReader } from './sparse.ts';
import { OciFault } from '../faults.ts';

/** What a reader tells, in order: `entry`, then `body` zero or more times (`entry.size` bytes in all), then `finish`. */
export interface TarListener {
  entry(entry: TarEntry): void;
  body(chunk: Buffer): void;
  finish(): void;
}

const MAX_META_BYTES = 1024 * 1024;
const MAX_PATH_BYTES = 4096;

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardLink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'folder',
  '6': 'fifo',
};

/** Meta members: what follows belongs to the next entry (x, L, K) or is about all of them and not needed (g, V). */
const META = new Set(['x', 'g', 'L', 'K', 'V']);

/**
 * Reads a tar stream pushed in pieces of any size. Understands ustar, PAX and GNU long names; GNU's sparse
 * files of all versions; refuses multi-volume members. Keeps one header and its extensions in memory, never a body.
 * @throws OciFault LAYER_INVALID, LAYER_UNSUPPORTED from `push` and `end`; the reader is of no use afterwards.
 */
export class TarReader {
  readonly #listener: TarListener;
  readonly #header = Buffer.alloc(BLOCK);
  #headerFill = 0;
  #bodyLeft = 0;
  #paddingLeft = 0;
  #meta: { type: string; chunks: Buffer[] } | undefined;
  #pax = new Map<string, string>();
  #sparse: { reader: SparseReader; entry: TarEntry } | undefined;
  #ended = false;
  #inEntry = false;

  constructor(listener: TarListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !this.#ended) {
      if (this.#bodyLeft > 0) offset = this.#takeBody(chunk, offset);
      else if (this.#paddingLeft > 0) offset = this.#skipPadding(chunk, offset);
      else offset = this.#takeHeader(chunk, offset);
    }
  }

  /** The source has ended. A missing end mark is forgiven, as by every tar; a cut entry is not. */
  end(): void {
    if (this.#ended) return;
    const cut =
      this.#bodyLeft > 0 || this.#headerFill > 0 || this.#meta !== undefined || this.#sparse !== undefined;
    if (cut || this.#pax.size > 0) throw invalidLayer('the tar archive ends in the middle of an entry');
  }

  #takeBody(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#bodyLeft);
    const part = chunk.subarray(offset, end);
    this.#bodyLeft -= part.length;
    if (this.#meta) this.#meta.chunks.push(part);
    else this.#listener.body(part);
    if (this.#bodyLeft === 0) this.#bodyDone();
    return end;
  }

  #skipPadding(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#paddingLeft);
    this.#paddingLeft -= end - offset;
    return end;
  }

  #takeHeader(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + BLOCK - this.#headerFill);
    this.#headerFill += chunk.copy(this.#header, this.#headerFill, offset, end);
    if (this.#headerFill === BLOCK) {
      this.#headerFill = 0;
      if (this.#sparse) this.#takeMap(this.#sparse);
      else this.#headerDone();
    }
    return end;
  }

  #headerDone(): void {
    const header = this.#header;
    if (header[0] === 0 && header.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    if (readNumber(header, 148, 8) !== checksumOf(header)) {
      throw invalidLayer('this is not a tar archive, or it is damaged: a header has a wrong checksum');
    }
    const type = String.fromCharCode(header[156] ?? 0);
    if (META.has(type)) this.#startMeta(type);
    else this.#startEntry(type);
  }

  #startMeta(type: string): void {
    const size = readNumber(this.#header, 124, 12);
    if (size < 0 || size > MAX_META_BYTES) throw invalidLayer('a tar extension header is larger than 1 MiB');
    this.#meta = { type, chunks: [] };
    this.#expectBody(size);
  }

  #startEntry(typeFlag: string): void {
    const pax = this.#pax;
    this.#pax = new Map();
    const entry = entryOf(this.#header, typeFlag, pax);
    const reader = typeFlag === 'S' ? SparseReader.ofHeader(this.#header) : SparseReader.ofPax(pax);
    if (reader === undefined || entry.type !== 'file') return this.#announce(entry);
    this.#sparse = { reader, entry };
    if (!reader.isOpen) this.#mapDone(this.#sparse);
  }

  /** A block of a sparse file's map. */
  #takeMap(sparse: { reader: SparseReader; entry: TarEntry }): void {
    const { reader, entry } = sparse;
    if (reader.isInContent) sparse.entry = { ...entry, size: entry.size - BLOCK };
    if (sparse.entry.size < 0)
      throw invalidLayer(`the map of ${shownPath(entry.path)} is longer than the file`);
    reader.take(this.#header);
    if (!reader.isOpen) this.#mapDone(sparse);
  }

  #mapDone({ reader, entry }: { reader: SparseReader; entry: TarEntry }): void {
    this.#sparse = undefined;
    this.#announce({ ...entry, sparse: reader.map(entry.size) });
  }

  #announce(entry: TarEntry): void {
    this.#inEntry = true;
    this.#listener.entry(entry);
    this.#expectBody(entry.size);
  }

  #expectBody(size: number): void {
    this.#bodyLeft = size;
    this.#paddingLeft = paddingOf(size);
    if (size === 0) this.#bodyDone();
  }

  #bodyDone(): void {
    if (this.#meta) {
      const { type, chunks } = this.#meta;
      this.#meta = undefined;
      this.#applyMeta(type, Buffer.concat(chunks).toString('latin1'));
    } else if (this.#inEntry) {
      this.#inEntry = false;
      this.#listener.finish();
    }
  }

  #applyMeta(type: string, text: string): void {
    if (type === 'x') readPax(text, this.#pax);
    if (type === 'L') this.#pax.set('path', text.replace(/\0.*$/s, ''));
    if (type === 'K') this.#pax.set('linkpath', text.replace(/\0.*$/s, ''));
  }
}

function entryOf(header: Buffer, typeFlag: string, pax: ReadonlyMap<string, string>): TarEntry {
  const path = pathOf(header, pax);
  const type = typeOf(typeFlag, path);
  const size = paxNumber(pax, 'size') ?? readNumber(header, 124, 12);
  const entry = {
    path: checkText(path, 'name'),
    type,
    linkPath: checkText(pax.get('linkpath') || textField(header, 157, 100), 'link'),
    mode: readNumber(header, 100, 8) & 0o7777,
    uid: paxNumber(pax, 'uid') ?? readNumber(header, 108, 8),
    gid: paxNumber(pax, 'gid') ?? readNumber(header, 116, 8),
    // Only files have a body; what other types say about it is not to be believed.
    size: type === 'file' ? size : 0,
    mtime: paxNumber(pax, 'mtime') ?? readNumber(header, 136, 12),
    deviceMajor: readNumber(header, 329, 8),
    deviceMinor: readNumber(header, 337, 8),
    xattrs: xattrsOf(pax),
  };
  if (entry.size < 0 || !Number.isSafeInteger(entry.size) || entry.uid < 0 || entry.gid < 0) {
    throw invalidLayer(`the entry ${shownPath(path)} has an impossible size or owner`);
  }
  return entry;
}

function pathOf(header: Buffer, pax: ReadonlyMap<string, string>): string {
  return pax.get('GNU.sparse.name') || pax.get('path') || ustarPath(header);
}

function typeOf(flag: string, path: string): EntryType {
  const type = TYPES[flag];
  if (type === undefined) {
    const what = `has the type ${JSON.stringify(flag)}`;
    throw new OciFault('LAYER_UNSUPPORTED', `the entry ${shownPath(path)} ${what}, which is not supported`);
  }
  return type === 'file' && path.endsWith('/') ? 'folder' : type;
}

function checkText(text: string, what: string): string {
  if (text.includes('\0')) throw invalidLayer(`an entry's ${what} holds a NUL byte`);
  if (text.length > MAX_PATH_BYTES)
    throw invalidLayer(`an entry's ${what} is longer than ${MAX_PATH_BYTES} bytes`);
  return text;
}

function textField(header: Buffer, start: number, length: number): string {
  const end = header.indexOf(0, start);
  return header.toString('latin1', start, end < 0 ? start + length : Math.min(end, start + length));
}

function ustarPath(header: Buffer): string {
  const name = textField(header, 0, 100);
  // GNU's own format uses the bytes of the prefix for something else.
  if (header.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const prefix = textField(header, 345, 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function paxNumber(pax: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = pax.get(key);
  if (text === undefined || text === '') return undefined;
  if (!/^-?[0-9]{1,15}(?:\.[0-9]*)?$/.test(text)) throw invalidLayer(`the PAX record ${key} is not a number`);
  return Number(text);
}

const XATTR = 'SCHILY.xattr.';
/** libarchive's own records: the name with `%XX` for odd bytes, the value in base64. */
const LIBARCHIVE_XATTR = 'LIBARCHIVE.xattr.';

function xattrsOf(pax: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of pax) if (key.startsWith(XATTR)) found.set(key.slice(XATTR.length), value);
  for (const [key, value] of pax) {
    if (!key.startsWith(LIBARCHIVE_XATTR)) continue;
    const written = key.slice(LIBARCHIVE_XATTR.length);
    // It writes the other record too, with the name as it is written here.
    found.delete(written);
    const name = written.replaceAll(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    found.set(checkText(name, 'attribute'), Buffer.from(value, 'base64').toString('latin1'));
  }
  return found;
}
