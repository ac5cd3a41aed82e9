import { BLOCK, invalidLayer } from './entry.ts';
import { readNumber } from './numbers.ts';

/** A file with holes: what of it is in the archive, in order, and how long it is with its holes. */
export interface SparseMap {
  readonly realSize: number;
  /** Offset and length of each piece of content. */
  readonly pieces: readonly (readonly [number, number])[];
}

const MAX_PIECES = 500_000;
/** Where GNU's own format has its first four pieces, and those of a block of further ones. */
const OLD_MAP = { start: 386, pieces: 4, more: 482, realSize: 483 };
const OLD_FURTHER = { start: 0, pieces: 21, more: 504 };

/** Gathers the map of a sparse file, which comes before its content in one of three places. */
export class SparseReader {
  readonly realSize: number;
  readonly #numbers: number[] = [];
  #kind: 'complete' | 'blocks' | 'text';
  #text = '';

  private constructor(realSize: number, kind: 'complete' | 'blocks' | 'text') {
    this.realSize = realSize;
    this.#kind = kind;
  }

  /** GNU's old format: in the header and in blocks after it. */
  static ofHeader(header: Buffer): SparseReader {
    const reader = new SparseReader(readNumber(header, OLD_MAP.realSize, 12), 'blocks');
    reader.#takePieces(header, OLD_MAP);
    return reader;
  }

  /** PAX, in its records (0.0, 0.1) or as text before the content (1.0); undefined when the file is not sparse. */
  static ofPax(pax: ReadonlyMap<string, string>): SparseReader | undefined {
    if (![...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) return undefined;
    const size = pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size') ?? '';
    const map = pax.get('GNU.sparse.map');
    const reader = new SparseReader(numberOf(size), map === undefined ? 'text' : 'complete');
    if (map !== undefined && map !== '') reader.#numbers.push(...map.split(',').map(numberOf));
    return reader;
  }

  /** True as long as the map goes on in the next block. */
  get isOpen(): boolean {
    return this.#kind !== 'complete';
  }

  /** Whether blocks of the map count as content, by the entry's size. */
  get isInContent(): boolean {
    return this.#kind === 'text';
  }

  take(block: Buffer): void {
    if (this.#kind === 'blocks') this.#takePieces(block, OLD_FURTHER);
    else this.#takeText(block);
  }

  /** @throws OciFault LAYER_INVALID when the pieces do not fit `storedSize` bytes, each other, or the file */
  map(storedSize: number): SparseMap {
    const pieces: [number, number][] = [];
    let end = 0;
    let sum = 0;
    if (this.#numbers.length % 2 !== 0) throw wrong();
    for (let index = 0; index < this.#numbers.length; index += 2) {
      const [offset, length] = [this.#numbers[index] ?? -1, this.#numbers[index + 1] ?? -1];
      if (offset < end || length < 0) throw wrong();
      end = offset + length;
      sum += length;
      pieces.push([offset, length]);
    }
    if (end > this.realSize || sum !== storedSize) throw wrong();
    return { realSize: this.realSize, pieces };
  }

  #takePieces(block: Buffer, { start, pieces, more }: typeof OLD_FURTHER): void {
    for (let at = start; at < start + pieces * 24 && block[at] !== 0; at += 24) {
      this.#numbers.push(readNumber(block, at, 12), readNumber(block, at + 12, 12));
    }
    this.#limit();
    if (block[more] === 0) this.#kind = 'complete';
  }

  #takeText(block: Buffer): void {
    this.#text += block.toString('latin1');
    const lines = this.#text.split('\n');
    // What follows the last line break may go on in the next block, or be the rest of this one.
    this.#text = lines.pop() ?? '';
    this.#numbers.push(...lines.map(numberOf));
    this.#limit();
    const [count] = this.#numbers;
    if (count === undefined || this.#numbers.length < 1 + 2 * count) return;
    this.#numbers.splice(0, 1);
    this.#numbers.length = 2 * count;
    this.#kind = 'complete';
  }

  #limit(): void {
    if (this.#numbers.length > 2 * MAX_PIECES + 1 || this.#text.length > BLOCK) throw wrong();
  }
}

/** The map as PAX 1.0 has it before the content: text in whole blocks. */
export function encodeMap({ pieces }: SparseMap): Buffer {
  const text = [pieces.length, ...pieces.flat()].map((number) => `${number}\n`).join('');
  return Buffer.concat([Buffer.from(text), Buffer.alloc((BLOCK - (text.length % BLOCK)) % BLOCK)]);
}

function numberOf(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw wrong();
  return Number(text);
}

function wrong() {
  return invalidLayer('the map of a sparse file is damaged');
}
