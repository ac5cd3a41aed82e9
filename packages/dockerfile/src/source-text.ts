import type { Position, Range, Word } from './ast.ts';

interface Piece {
  /** Where the piece starts in the joined text. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Text joined from lines of a file that still knows where each of its characters came from. */
export class SourceText {
  #text = '';
  readonly #pieces: Piece[] = [];

  get text(): string {
    return this.#text;
  }

  /** Appends what stands at `column` (from 1) of `line` (from 1). */
  append(piece: string, line: number, column: number): void {
    this.#pieces.push({ offset: this.#text.length, line, column });
    this.#text += piece;
  }

  /** The end is measured from the last character, so that it never lands on the line after it. */
  range(start: number, end: number): Range {
    const first = this.#position(start);
    if (end <= start) return { start: first, end: first };
    const last = this.#position(end - 1);
    return { start: first, end: { line: last.line, column: last.column + 1 } };
  }

  word(start: number, end: number): Word {
    return { text: this.#text.slice(start, end), range: this.range(start, end) };
  }

  #position(offset: number): Position {
    let found = this.#pieces[0] ?? { offset: 0, line: 1, column: 1 };
    for (const piece of this.#pieces) {
      if (piece.offset > offset) break;
      found = piece;
    }
    return { line: found.line, column: found.column + Math.max(0, offset - found.offset) };
  }
}
