import { cellsOf } from './width.ts';
import type { Cell } from './width.ts';

const TAB = '    ';

/** Control characters must not reach the terminal: they could move its cursor. */
// oxlint-disable-next-line no-control-regex -- to find them
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

export const visibleText = (text: string): string =>
  text
    .replaceAll('\t', TAB)
    .split('')
    .map((character) => (CONTROL.test(character) ? '\ufffd' : character))
    .join('');

export interface Excerpt {
  readonly line: string;
  /** Blanks up to the place, then `^`. */
  readonly caret: string;
}

/** One line of a file with a caret below a column (from 1), cut to `room` columns around it. */
export function excerptOf(source: string, column: number, room: number): Excerpt {
  const raw = cellsOf(source.replace(/\r$/, ''));
  const found = raw.findIndex(({ offset, text }) => column - 1 < offset + text.length);
  const cells = raw.map((cell) => ({
    ...cell,
    text: visibleText(cell.text),
    width: cell.text === '\t' ? TAB.length : cell.width,
  }));
  const at = found === -1 ? cells.length : found;
  const { from, to } = windowOf(cells, at, Math.max(20, room));
  const cutBefore = from > 0 ? '…' : '';
  const shown = cells.slice(from, to).map(({ text }) => text);
  const before = cells.slice(from, at).reduce((sum, { width }) => sum + width, cutBefore.length);
  return {
    line: `${cutBefore}${shown.join('')}${to < cells.length ? '…' : ''}`,
    caret: `${' '.repeat(before)}^`,
  };
}

/** The part of a line that is shown: all of it when it fits, else around the place, more behind than before. */
function windowOf(cells: readonly Cell[], at: number, room: number): { from: number; to: number } {
  const total = cells.reduce((sum, { width }) => sum + width, 0);
  if (total <= room) return { from: 0, to: cells.length };
  const inner = room - 2;
  let from = at;
  for (let used = 0; from > 0; from -= 1) {
    used += cells[from - 1]?.width ?? 0;
    if (used > inner / 2) break;
  }
  let to = from;
  for (let used = 0; to < cells.length; to += 1) {
    used += cells[to]?.width ?? 0;
    if (used > inner) break;
  }
  return { from, to };
}
