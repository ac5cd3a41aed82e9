import type { Comment, Directive, Heredoc, Problem, Range } from './ast.ts';
import { hasHeredocs, heredocMarks } from './heredoc.ts';
import type { HeredocMark } from './heredoc.ts';
import { SourceText } from './source-text.ts';

/** One instruction's text, continuations joined, with the here-documents that follow it. */
export interface LogicalLine {
  readonly source: SourceText;
  readonly heredocs: readonly Heredoc[];
  readonly range: Range;
}

export interface ReadLines {
  readonly escape: '\\' | '`';
  readonly directives: readonly Directive[];
  readonly comments: readonly Comment[];
  readonly logical: readonly LogicalLine[];
  readonly problems: readonly Problem[];
}

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const DIRECTIVE_NAMES = ['syntax', 'escape', 'check'] as const;

/** Cuts the file into directives, comments and instruction lines. */
export function readLines(rawLines: readonly string[]): ReadLines {
  return new LineReader(rawLines).read();
}

class LineReader {
  readonly #raw: readonly string[];
  readonly #lines: readonly string[];
  readonly #directives: Directive[] = [];
  readonly #comments: Comment[] = [];
  readonly #logical: LogicalLine[] = [];
  readonly #problems: Problem[] = [];
  #escape: '\\' | '`' = '\\';
  /** Index of the next line to read. */
  #next = 0;

  constructor(rawLines: readonly string[]) {
    this.#raw = rawLines;
    this.#lines = rawLines.map((line) => line.replace(/\r$/, ''));
  }

  read(): ReadLines {
    this.#readDirectives();
    while (this.#next < this.#lines.length) this.#readInstruction();
    return {
      escape: this.#escape,
      directives: this.#directives,
      comments: this.#comments,
      logical: this.#logical,
      problems: this.#problems,
    };
  }

  #readDirectives(): void {
    for (; this.#next < this.#lines.length; this.#next += 1) {
      const match = DIRECTIVE.exec(this.#lines[this.#next] ?? '');
      if (!match) return;
      const name = DIRECTIVE_NAMES.find((known) => known === match[1]?.toLowerCase());
      if (name) this.#takeDirective(name, match[2] ?? '');
      else this.#takeComment(this.#next);
    }
  }

  #takeDirective(name: Directive['name'], value: string): void {
    const range = this.#lineRange(this.#next);
    if (this.#directives.some((directive) => directive.name === name)) {
      this.#problem('DIRECTIVE_INVALID', `the directive ${name} is given twice`, range);
      return;
    }
    this.#directives.push({ name, value, range });
    if (name !== 'escape') return;
    if (value === '\\' || value === '`') this.#escape = value;
    else this.#problem('DIRECTIVE_INVALID', `escape must be \\ or \`, not ${value}`, range);
  }

  #readInstruction(): void {
    const first = this.#next;
    const line = this.#lines[first] ?? '';
    this.#next += 1;
    if (line.trim() === '') return;
    if (isComment(line)) return this.#takeComment(first);
    const source = new SourceText();
    const indent = line.length - line.trimStart().length;
    if (this.#appendLine(source, first, indent)) this.#readContinuation(source);
    if (source.text.trim() === '') return;
    const heredocs = this.#readHeredocs(source);
    this.#logical.push({
      source,
      heredocs,
      range: {
        start: { line: first + 1, column: indent + 1 },
        end: this.#endOfLine(Math.max(first, this.#next - 1)),
      },
    });
  }

  #readContinuation(source: SourceText): void {
    let goesOn = true;
    while (goesOn && this.#next < this.#lines.length) {
      const index = this.#next;
      const line = this.#lines[index] ?? '';
      this.#next += 1;
      if (isComment(line)) this.#takeComment(index);
      else if (line.trim() === '') this.#warnOfEmpty(index);
      else goesOn = this.#appendLine(source, index, 0);
    }
  }

  #warnOfEmpty(index: number): void {
    const message = 'an empty line inside an instruction; it ends only at a line without continuation';
    this.#problems.push({
      code: 'EMPTY_CONTINUATION',
      severity: 'warning',
      message,
      range: this.#lineRange(index),
    });
  }

  /** True when the line ends with the escape character, so that the next one belongs to it. */
  #appendLine(source: SourceText, index: number, from: number): boolean {
    const line = this.#lines[index] ?? '';
    const end = continuationAt(line, this.#escape);
    source.append(line.slice(from, end ?? line.length), index + 1, from + 1);
    return end !== undefined;
  }

  #readHeredocs(source: SourceText): Heredoc[] {
    if (!hasHeredocs(source.text, this.#escape)) return [];
    return heredocMarks(source.text, this.#escape).map((mark) => this.#readHeredoc(mark, source));
  }

  #readHeredoc(mark: HeredocMark, source: SourceText): Heredoc {
    const first = this.#next;
    let raw = '';
    let ended = false;
    while (!ended && this.#next < this.#lines.length) {
      const line = this.#lines[this.#next] ?? '';
      ended = (mark.stripTabs ? line.replace(/^\t+/, '') : line) === mark.name;
      if (!ended) raw += `${this.#raw[this.#next] ?? ''}\n`;
      this.#next += 1;
    }
    if (!ended) {
      const range = source.range(mark.span.start, mark.span.end);
      this.#problem('HEREDOC_UNTERMINATED', `the here-document ${mark.name} is not ended`, range);
    }
    const content = mark.stripTabs ? raw.replace(/^\t+/gm, '') : raw;
    const range = { start: { line: first + 1, column: 1 }, end: this.#endOfLine(this.#next - 1) };
    return { name: mark.name, raw, content, expand: mark.expand, stripTabs: mark.stripTabs, range };
  }

  #takeComment(index: number): void {
    const line = this.#lines[index] ?? '';
    this.#comments.push({ text: line.trim().slice(1).trim(), range: this.#lineRange(index) });
  }

  #lineRange(index: number): Range {
    const line = this.#lines[index] ?? '';
    const column = line.length - line.trimStart().length + 1;
    return { start: { line: index + 1, column }, end: this.#endOfLine(index) };
  }

  #endOfLine(index: number) {
    return { line: index + 1, column: (this.#lines[index] ?? '').length + 1 };
  }

  #problem(code: Problem['code'], message: string, range: Range): void {
    this.#problems.push({ code, severity: 'error', message, range });
  }
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

/** Where the text ends when the line goes on: before an escape character that only blanks follow and none precedes. */
function continuationAt(line: string, escape: string): number | undefined {
  const end = line.replace(/[ \t]+$/, '').length;
  if (line[end - 1] !== escape || line[end - 2] === escape) return undefined;
  return end - 1;
}
