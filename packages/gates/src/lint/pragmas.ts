import type { Comment } from '@updraft/dockerfile';

/** What comments switch off: rule codes by the line they hold for, and for the whole file. */
export interface Pragmas {
  readonly byLine: ReadonlyMap<number, ReadonlySet<string>>;
  readonly global: ReadonlySet<string>;
}

/** The letters of DL and SC, as the original has it, and of our own UP. */
const CODE = '[DLSCUP0-9]+';
const LIST = String.raw`(${CODE}(?:[ \t]*,[ \t]*${CODE})*)[ \t]*(?:#.*)?`;
const IGNORE = new RegExp(String.raw`^[ \t]*hadolint[ \t]+ignore[ \t]*=[ \t]*${LIST}$`);
const GLOBAL = new RegExp(String.raw`^[ \t]*hadolint[ \t]+global[ \t]+ignore[ \t]*=[ \t]*${LIST}$`);
const SHELL = /^[ \t]*hadolint[ \t]+shell[ \t]*=[ \t]*([^\s]+)[ \t]*(?:#.*)?$/;

/**
 * Reads `# hadolint ignore=…` (holds for the line below) and `# hadolint global ignore=…` (for the file).
 * A list with an unknown word in it is a plain comment.
 */
export function readPragmas(comments: readonly Comment[]): Pragmas {
  const byLine = new Map<number, ReadonlySet<string>>();
  const global = new Set<string>();
  for (const { text, range } of comments) {
    const line = codes(IGNORE, text);
    if (line.length > 0) byLine.set(range.start.line + 1, new Set(line));
    for (const code of codes(GLOBAL, text)) global.add(code);
  }
  return { byLine, global };
}

/** The lines of comments that ignore something, for DL1001. */
export function ignoreLines(comments: readonly Comment[]): readonly number[] {
  return comments.filter(({ text }) => codes(IGNORE, text).length > 0).map(({ range }) => range.start.line);
}

/** What `# hadolint shell=…` names, or undefined for any other comment. */
export function shellPragma(text: string): string | undefined {
  return SHELL.exec(text)?.[1];
}

function codes(pattern: RegExp, text: string): readonly string[] {
  return (
    pattern
      .exec(text)?.[1]
      ?.split(',')
      .map((code) => code.trim()) ?? []
  );
}
