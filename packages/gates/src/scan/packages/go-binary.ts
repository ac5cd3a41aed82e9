import type { LayerEntry } from '../content/entry.ts';
import type { FileFacts, LanguagePackage } from './facts.ts';

/** The linker puts this before what `go version -m` shows. */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const HEADER_BYTES = 32;
const INLINE_FLAG = 2;
const BIG_ENDIAN_FLAG = 1;
/** Nobody's list of modules is nearly as long. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** In files without section names the block is looked for in this much of the data. */
const MAX_SEARCH_BYTES = 1024 * 1024;
/** The smallest Go program there is has more than this. */
const MIN_BYTES = 64 * 1024;

export function mayBeGo({ kind, isExecutable, size }: LayerEntry): boolean {
  return kind === 'file' && isExecutable && size >= MIN_BYTES;
}

/**
 * The modules a Go program was built from, its standard library among them; undefined for any other file. Reads a few
 * kilobytes wherever the program's tables say they lie; a file that lies about them is no Go program.
 */
export async function readGoBinary(entry: LayerEntry): Promise<FileFacts | undefined> {
  const elf = readElf(await entry.readAt(0, 64));
  if (elf === undefined) return undefined;
  try {
    const info = await findBuildInfo(entry, elf);
    return info === undefined ? undefined : toFacts(info);
  } catch {
    // Offsets beyond the file: not what a Go linker writes.
    return undefined;
  }
}

interface Elf {
  readonly is64: boolean;
  readonly segments: { readonly offset: number; readonly size: number; readonly count: number };
}

/** Little-endian ELF of 32 or 64 bits: what Linux images hold. */
function readElf(head: Buffer): Elf | undefined {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f45_4c46 || head[5] !== 1) return undefined;
  const is64 = head[4] === 2;
  const at = is64
    ? { offset: Number(head.readBigUInt64LE(32)), size: head.readUInt16LE(54), count: head.readUInt16LE(56) }
    : { offset: head.readUInt32LE(28), size: head.readUInt16LE(42), count: head.readUInt16LE(44) };
  return at.count > 0 && at.count < 200 && at.size >= 32 ? { is64, segments: at } : undefined;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
  readonly isWritable: boolean;
}

const LOADED = 1;
const WRITABLE = 2;

async function readSegments(entry: LayerEntry, { is64, segments }: Elf): Promise<readonly Segment[]> {
  const table = await entry.readAt(segments.offset, segments.size * segments.count);
  return Array.from({ length: segments.count }, (_, index) =>
    readSegment(table.subarray(index * segments.size), is64),
  ).filter((segment) => segment !== undefined);
}

function readSegment(row: Buffer, is64: boolean): Segment | undefined {
  if (row.readUInt32LE(0) !== LOADED) return undefined;
  const flags = row.readUInt32LE(is64 ? 4 : 24);
  const wide = (at: number) => Number(row.readBigUInt64LE(at));
  const place = is64
    ? { offset: wide(8), address: wide(16), bytes: wide(32) }
    : { offset: row.readUInt32LE(4), address: row.readUInt32LE(8), bytes: row.readUInt32LE(16) };
  return { ...place, isWritable: (flags & WRITABLE) !== 0 };
}

interface BuildInfo {
  readonly goVersion: string;
  readonly modules: string;
}

/** The linker puts the block at the beginning of the writable data, 16 bytes aligned. */
async function findBuildInfo(entry: LayerEntry, elf: Elf): Promise<BuildInfo | undefined> {
  const segments = await readSegments(entry, elf);
  for (const segment of segments.filter(({ isWritable }) => isWritable)) {
    const data = await entry.readAt(segment.offset, Math.min(segment.bytes, MAX_SEARCH_BYTES));
    const at = indexOfAligned(data);
    if (at >= 0) return readBlock({ entry, segments, at: segment.offset + at, header: data.subarray(at) });
  }
  return undefined;
}

function indexOfAligned(data: Buffer): number {
  for (let at = data.indexOf(MAGIC); at >= 0; at = data.indexOf(MAGIC, at + 1)) if (at % 16 === 0) return at;
  return -1;
}

interface Block {
  readonly entry: LayerEntry;
  readonly segments: readonly Segment[];
  readonly at: number;
  readonly header: Buffer;
}

async function readBlock(block: Block): Promise<BuildInfo | undefined> {
  const flags = block.header[15] ?? 0;
  if ((flags & INLINE_FLAG) === 0) return readPointers(block, flags);
  const first = await inlineText(block, HEADER_BYTES);
  const second = await inlineText(block, first.end);
  return { goVersion: first.text, modules: second.text };
}

/** Since Go 1.18: length and text, twice. */
async function inlineText({ entry, at }: Block, offset: number): Promise<{ text: string; end: number }> {
  const head = await entry.readAt(at + offset, 10);
  let length = 0;
  let used = 0;
  for (const byte of head) {
    length += (byte & 0x7f) * 2 ** (7 * used);
    used += 1;
    if (byte < 0x80) break;
  }
  const text = await textAt(entry, at + offset + used, length);
  return { text, end: offset + used + length };
}

/** Before: the addresses of two strings, each an address and a length. */
async function readPointers(block: Block, flags: number): Promise<BuildInfo | undefined> {
  const width = block.header[14] ?? 0;
  if ((flags & BIG_ENDIAN_FLAG) !== 0 || (width !== 4 && width !== 8)) return undefined;
  const read = async (offset: number) => {
    const header = await block.entry.readAt(
      fileOffset(block, pointer(block.header, offset, width)),
      2 * width,
    );
    return textAt(block.entry, fileOffset(block, pointer(header, 0, width)), pointer(header, width, width));
  };
  return { goVersion: await read(16), modules: await read(16 + width) };
}

function pointer(bytes: Buffer, at: number, width: number): number {
  return width === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at);
}

function fileOffset({ segments }: Block, address: number): number {
  const home = segments.find((one) => address >= one.address && address < one.address + one.bytes);
  if (home === undefined) throw new RangeError('an address outside of the program');
  return home.offset + address - home.address;
}

async function textAt(entry: LayerEntry, offset: number, length: number): Promise<string> {
  if (length > MAX_TEXT_BYTES) throw new RangeError('a text longer than any');
  return (await entry.readAt(offset, length)).toString('utf8');
}

function toFacts({ goVersion, modules }: BuildInfo): FileFacts {
  const version = /^go(\d+(?:\.\d+)*(?:(?:rc|beta)\d+)?)/.exec(goVersion)?.[1];
  const standard = version === undefined ? [] : [{ name: 'stdlib', version: toSemver(version) }];
  // 16 bytes before and behind the text mark it; they are no text.
  const lines = modules.slice(modules.indexOf('path\t')).split('\n');
  return {
    kind: 'language',
    ecosystem: 'go',
    type: 'gobinary',
    packages: [...standard, ...readModules(lines)],
  };
}

/** `1.22rc1` is `1.22.0-rc1` to those who compare versions. */
function toSemver(version: string): string {
  const [, numbers = '', pre] = /^([\d.]+)(.*)$/.exec(version) ?? [];
  const full = [...numbers.split('.'), '0', '0'].slice(0, 3).join('.');
  return pre ? `${full}-${pre}` : full;
}

/** A line `=>` replaces the module of the line above it. A program's own module mostly has no version. */
function readModules(lines: readonly string[]): readonly LanguagePackage[] {
  const found: LanguagePackage[] = [];
  for (const line of lines) {
    const [kind, name = '', version = ''] = line.split('\t');
    if (kind === '=>') found.pop();
    if (kind !== 'dep' && kind !== 'mod' && kind !== '=>') continue;
    found.push({ name, version });
  }
  return found.filter(({ name, version }) => name !== '' && version !== '' && version !== '(devel)');
}
