import { RE2JS, RE2JSException } from 're2js';

/** A regular expression between slashes: its body, `\/` undone, with its flags in front. */
const PATTERN = /^\/((?:\\\/|[^/])+)\/([ismU]*)$/;

/** `/body/flags` as RE2 text, or undefined when the text is no such thing. */
export function patternBody(text: string): string | undefined {
  const found = PATTERN.exec(text);
  if (!found) return undefined;
  const body = (found[1] ?? '').replaceAll(String.raw`\/`, '/');
  return found[2] ? `(?${found[2]})${body}` : body;
}

export interface Regex {
  /** Whether it occurs anywhere in the text. Linear in the text's length. */
  occursIn(text: string): boolean;
}

const compiled = new Map<string, Regex | string>();

/** The compiled expression, or why it is none. */
export function compileRegex(body: string): Regex | string {
  const known = compiled.get(body);
  if (known !== undefined) return known;
  if (compiled.size > 500) compiled.clear();
  const fresh = compileFresh(body);
  compiled.set(body, fresh);
  return fresh;
}

function compileFresh(body: string): Regex | string {
  try {
    const regex = RE2JS.compile(body);
    return { occursIn: (text) => regex.matcher(text).find() };
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
