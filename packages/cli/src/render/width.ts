/** Made when the first text needs it: it takes half as long as Node needs to start. */
let graphemes: Intl.Segmenter | undefined;

/** What most texts are made of: a character is a column. */
const PLAIN = /^[ -~]*$/;

/** Scripts whose characters take two columns, and pictures. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

export interface Cell {
  readonly text: string;
  /** Columns of a terminal: 0, 1 or 2. */
  readonly width: number;
  /** In UTF-16 units, as editors and YAML count columns. */
  readonly offset: number;
}

/** A text as a terminal shows it, character by character as a reader sees them. */
export function cellsOf(text: string): readonly Cell[] {
  if (PLAIN.test(text))
    return Array.from(text, (character, offset) => ({ text: character, width: 1, offset }));
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(graphemes.segment(text), ({ segment, index }) => ({
    text: segment,
    width: INVISIBLE.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1,
    offset: index,
  }));
}

export const widthOf = (text: string): number =>
  PLAIN.test(text) ? text.length : cellsOf(text).reduce((sum, { width }) => sum + width, 0);
