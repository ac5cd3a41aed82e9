import { quotedWords, unquote } from './words.ts';
import type { Span } from './words.ts';

/** `<<NAME` as it stands in an instruction. */
export interface HeredocMark {
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
  readonly span: Span;
}

const MARK = /^\d*<<(-?)([^<]+)$/;
const TAKES_HEREDOCS = /^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s+/i;

/** Only RUN, COPY and ADD in their shell form take here-documents. */
export function hasHeredocs(text: string, escape: string): boolean {
  const keyword = TAKES_HEREDOCS.exec(text);
  if (!keyword || !text.includes('<<')) return false;
  const words = quotedWords(text, keyword[0].length, escape).map(({ start, end }) => text.slice(start, end));
  const rest = words.slice(words.findIndex((word) => !word.startsWith('--'))).join(' ');
  return !(rest.startsWith('[') && isStringList(rest));
}

/** All marks of the text, in order. */
export function heredocMarks(text: string, escape: string): HeredocMark[] {
  return quotedWords(text, 0, escape).flatMap((span) => {
    const mark = heredocMark(text.slice(span.start, span.end), escape);
    return mark ? [{ ...mark, span }] : [];
  });
}

/** Reads one word as `<<NAME`; undefined when it is none. */
export function heredocMark(word: string, escape: string): Omit<HeredocMark, 'span'> | undefined {
  const match = MARK.exec(word);
  const written = match?.[2] ?? '';
  const name = unquote(written, escape);
  if (!match || name === '') return undefined;
  return { name, expand: name === written, stripTabs: match[1] === '-' };
}

/** The name of the here-document that a text is, and nothing else: `<<EOF`, `<<-"EOF"`. */
export function heredocName(text: string, escape: '\\' | '`' = '\\'): string | undefined {
  const [word, second] = quotedWords(text, 0, escape);
  return word && !second ? heredocMark(text.slice(word.start, word.end), escape)?.name : undefined;
}

/** Is the text a JSON array of strings? */
export function isStringList(text: string): boolean {
  return stringList(text) !== undefined;
}

export function stringList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined;
  }
}
