/** Rows as aligned columns; `width` measures text without its colours. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, visible(cell));
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : padded(cell, widths[index] ?? 0)))
      .join('   ')
      .trimEnd();
  return rows.map(line).join('\n');
}

// oxlint-disable-next-line no-control-regex -- colours are control sequences
const COLOURS = /\u001b\[\d+m/g;

const visible = (text: string): number => text.replace(COLOURS, '').length;

/** Blanks up to a width; colours take no room. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - visible(text)));

/** `340 ms`, `12.3 s`, `2 min 05 s`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
