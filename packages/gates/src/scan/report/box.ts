/** How one column of a box table is set. */
export interface Column {
  readonly title: string;
  /** Wider texts are broken into lines. */
  readonly maxWidth?: number;
  readonly align?: 'left' | 'center';
  /** A cell that repeats the one above is left empty, without a line between them. */
  readonly merge?: boolean;
}

/** A table drawn with box characters. Cells may hold several lines. */
export function boxTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell, index) => wrap(cell, columns[index]?.maxWidth ?? Infinity)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.flatMap((row) => (row[index] ?? []).map((line) => line.length))),
  );
  const all = columns.map(() => true);
  const out = [
    rule('┌┬┐', widths),
    line(
      columns.map(({ title }) => title),
      widths,
      columns.map(() => 'center'),
    ),
  ];
  rows.forEach((row, index) => {
    const above = rows[index - 1];
    const drawn = above === undefined ? all : columns.map(({ merge }, at) => !merge || row[at] !== above[at]);
    out.push(above === undefined ? rule('├┼┤', widths) : partRule(drawn, widths));
    out.push(...bodyLines(cells[index] ?? [], { columns, widths, drawn }));
  });
  return `${[...out, rule('└┴┘', widths)].join('\n')}\n`;
}

interface Drawing {
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
  readonly drawn: readonly boolean[];
}

function bodyLines(cells: readonly (readonly string[])[], { columns, widths, drawn }: Drawing): string[] {
  const height = Math.max(1, ...cells.map((cell, at) => (drawn[at] ? cell.length : 1)));
  return Array.from({ length: height }, (_, index) =>
    line(
      cells.map((cell, at) => (drawn[at] ? (cell[index] ?? '') : '')),
      widths,
      columns.map(({ align }) => align ?? 'left'),
    ),
  );
}

function line(
  texts: readonly string[],
  widths: readonly number[],
  aligns: readonly ('left' | 'center')[],
): string {
  const padded = texts.map((text, at) => {
    const room = (widths[at] ?? 0) - text.length;
    const left = aligns[at] === 'center' ? Math.floor(room / 2) : 0;
    return ` ${' '.repeat(left)}${text}${' '.repeat(room - left)} `;
  });
  return `│${padded.join('│')}│`;
}

function rule([left, cross, right]: string, widths: readonly number[]): string {
  return `${left}${widths.map((width) => '─'.repeat(width + 2)).join(cross)}${right}`;
}

/** A line between rows that leaves out the columns that go on. */
function partRule(drawn: readonly boolean[], widths: readonly number[]): string {
  const crossings = widths.slice(1).map((_, at) => crossing(drawn[at] ?? false, drawn[at + 1] ?? false));
  const parts = widths.map((width, at) => (drawn[at] ? '─' : ' ').repeat(width + 2));
  const body = parts.map((part, at) => part + (crossings[at] ?? '')).join('');
  return `${drawn[0] ? '├' : '│'}${body}${drawn.at(-1) ? '┤' : '│'}`;
}

function crossing(left: boolean, right: boolean): string {
  if (left && right) return '┼';
  if (left) return '┤';
  return right ? '├' : '│';
}

function wrap(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((paragraph) => wrapLine(paragraph, width));
}

function wrapLine(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    const candidate = current === '' ? word : `${current} ${word}`;
    if (candidate.length > width && current !== '') {
      lines.push(current);
      current = word;
    } else current = candidate;
  }
  return [...lines, current];
}
