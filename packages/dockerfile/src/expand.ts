import { literalToken, matchEnds } from './glob.ts';
import type { GlobToken } from './glob.ts';

export interface ExpandOptions {
  /** The file's escape character. Default `\`. */
  readonly escape?: '\\' | '`';
  /** Quotes are ordinary characters: bodies of here-documents. */
  readonly literalQuotes?: boolean;
}

export type Expansion =
  | {
      readonly kind: 'expanded';
      readonly text: string;
      /** The same, split at blanks outside quotes after variables were replaced. */
      readonly words: readonly string[];
      /** Variables that were asked for and have no value. */
      readonly unset: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly message: string };

/** Replaces variables and takes quotes and escapes away, as BuildKit does for the words of an instruction. */
export function expandWords(
  text: string,
  lookup: (name: string) => string | undefined,
  options: ExpandOptions = {},
): Expansion {
  const expander = new Expander(text, lookup, options);
  try {
    const { text: expanded, words } = expander.run();
    return { kind: 'expanded', text: expanded, words, unset: [...expander.unset] };
  } catch (error) {
    if (error instanceof InvalidWord) return { kind: 'invalid', message: error.message };
    throw error;
  }
}

/** Stops the expansion; never leaves this file. */
class InvalidWord extends Error {}

/** What variables may add to a text. A few lines that double a value would else fill the memory. */
const MOST_ADDED = 1024 * 1024;

/** Collects the text and, beside it, the words it falls into. */
class Output {
  text = '';
  readonly #words: string[] = [];
  #word = '';

  /** Text in which a blank ends a word. */
  add(text: string): void {
    this.text += text;
    for (const character of text) {
      if (/\s/.test(character)) this.#endWord();
      else this.#word += character;
    }
  }

  /** Quoted or escaped text: blanks in it belong to the word. */
  addWhole(text: string): void {
    this.text += text;
    this.#word += text;
  }

  words(): string[] {
    this.#endWord();
    return this.#words;
  }

  #endWord(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }
}

const SPECIAL = new Set(['@', '*', '#', '?', '-', '$', '!']);
const MAX_DEPTH = 100;

class Expander {
  readonly unset = new Set<string>();
  readonly #characters: readonly string[];
  readonly #lookup: (name: string) => string | undefined;
  readonly #escape: string;
  readonly #literalQuotes: boolean;
  #at = 0;
  #depth = 0;
  #added = 0;

  constructor(text: string, lookup: (name: string) => string | undefined, options: ExpandOptions) {
    this.#characters = Array.from(text);
    this.#lookup = lookup;
    this.#escape = options.escape ?? '\\';
    this.#literalQuotes = options.literalQuotes ?? false;
  }

  run(): { text: string; words: string[] } {
    const output = this.#until(undefined, false);
    return { text: output.text, words: output.words() };
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  /** Reads up to `stop`, which is taken too, or to the end. `keepEscapes`: the text is a pattern. */
  #until(stop: string | undefined, keepEscapes: boolean): Output {
    const output = new Output();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new InvalidWord('variables are nested too deeply');
    for (let next = this.#next; next !== undefined; next = this.#next) {
      if (next === stop) {
        this.#at += 1;
        this.#depth -= 1;
        return output;
      }
      this.#step(next, output, keepEscapes);
    }
    if (stop !== undefined) throw new InvalidWord(`a ${stop} is missing after a variable`);
    this.#depth -= 1;
    return output;
  }

  #step(next: string, output: Output, keepEscapes: boolean): void {
    if (next === '$') output.add(this.#variable());
    else if (next === "'" && !this.#literalQuotes) output.addWhole(this.#singleQuoted());
    else if (next === '"' && !this.#literalQuotes) output.addWhole(this.#doubleQuoted(keepEscapes));
    else {
      this.#at += 1;
      if (next !== this.#escape) return output.add(next);
      if (keepEscapes) output.addWhole(next);
      const escaped = this.#next;
      if (escaped === undefined) return;
      this.#at += 1;
      output.addWhole(escaped);
    }
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at + 1);
    if (end < 0) throw new InvalidWord("a ' has no partner");
    const text = this.#characters.slice(this.#at + 1, end).join('');
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(keepEscapes: boolean): string {
    let text = '';
    this.#at += 1;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      if (next === '$') {
        text += this.#variable();
        continue;
      }
      this.#at += 1;
      if (next === '"') return text;
      text += next === this.#escape ? this.#escapedInQuotes(keepEscapes) : next;
    }
    throw new InvalidWord('a " has no partner');
  }

  /** Inside double quotes only the quote, `$` and the escape itself can be escaped. */
  #escapedInQuotes(keepEscapes: boolean): string {
    const kept = keepEscapes ? this.#escape : '';
    const next = this.#next;
    if (next === undefined) return kept;
    if (next !== '"' && next !== '$' && next !== this.#escape) return kept + this.#escape;
    this.#at += 1;
    return kept + next;
  }

  #variable(): string {
    this.#at += 1;
    if (this.#next !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#value(name) ?? '');
    }
    this.#at += 1;
    const first = this.#next;
    if (first === undefined) throw new InvalidWord('a } is missing after a variable');
    if (first === '{' || first === '}' || first === ':') throw new InvalidWord('bad substitution after ${');
    return this.#modified(this.#name());
  }

  #name(): string {
    const first = this.#next ?? '';
    if (SPECIAL.has(first)) {
      this.#at += 1;
      return first;
    }
    const pattern = /^\p{Nd}$/u.test(first) ? /^\p{Nd}$/u : /^[\p{L}\p{Nd}_]$/u;
    let name = '';
    for (let next = this.#next; next !== undefined && pattern.test(next); next = this.#next) {
      name += next;
      this.#at += 1;
    }
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#lookup(name);
    if (value === undefined) this.unset.add(name);
    this.#added += value?.length ?? 0;
    if (this.#added > MOST_ADDED) throw new InvalidWord('variables make it longer than 1 MiB');
    return value;
  }

  /** What stands between the name and `}`. */
  #modified(name: string): string {
    const first = this.#take();
    if (first === '}') return this.#value(name) ?? '';
    if (first === '/') return this.#replaced(name);
    const operator = first === ':' ? this.#take() : first;
    if (operator === '' || !'-+?#%'.includes(operator)) {
      throw new InvalidWord(`unknown modifier ${first === ':' ? ':' : ''}${operator} in \${${name}…}`);
    }
    const word = this.#until('}', operator === '#' || operator === '%').text;
    const value = this.#value(name);
    return modify(name, {
      operator,
      word,
      value,
      present: first === ':' && value === '' ? undefined : value,
    });
  }

  #take(): string {
    const next = this.#next ?? '';
    this.#at += 1;
    return next;
  }

  #replaced(name: string): string {
    const all = this.#next === '/';
    if (all) this.#at += 1;
    const pattern = shellPattern(this.#until('/', true).text);
    const replacement = this.#until('}', true).text;
    return replaceMatches(Array.from(this.#value(name) ?? ''), pattern, replacement, all);
  }
}

/** `present` is undefined for an empty value too when the operator had a colon. */
function modify(
  name: string,
  use: { operator: string; word: string; value: string | undefined; present: string | undefined },
): string {
  const { operator, word, value, present } = use;
  if (operator === '-') return present ?? word;
  if (operator === '+') return present === undefined ? '' : word;
  if (operator === '?') return requireValue(name, word, present);
  return trimmed(operator, word, value ?? '');
}

function requireValue(name: string, message: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new InvalidWord(`${name}: ${message || 'needs a value'}`);
}

const notNewline = (character: string) => character !== '\n';

/** `*` and `?`; a backslash makes them, and itself, ordinary. `\}` and `\/` only kept the character out of the syntax. */
function shellPattern(pattern: string): GlobToken[] {
  const characters = Array.from(pattern);
  const tokens: GlobToken[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') tokens.push({ kind: 'many', accepts: notNewline });
    else if (character === '?') tokens.push({ kind: 'one', accepts: notNewline });
    else if (character !== '\\') tokens.push(literalToken(character));
    else {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined || !'*?\\}/'.includes(escaped)) {
        throw new InvalidWord(`\\${escaped ?? ''} is no escape in the pattern ${pattern}`);
      }
      tokens.push(literalToken(escaped));
    }
  }
  return tokens;
}

/** `#` and `%` take the shortest match off the front or the end, doubled the longest. */
function trimmed(operator: string, word: string, value: string): string {
  const longest = word.startsWith(operator);
  const tokens = shellPattern(longest ? word.slice(1) : word);
  const characters = Array.from(value);
  if (operator === '#') {
    const ends = matchEnds(tokens, characters);
    const end = (longest ? ends.at(-1) : ends[0]) ?? 0;
    return characters.slice(end).join('');
  }
  const ends = matchEnds(tokens.toReversed(), characters.toReversed());
  const cut = (longest ? ends.at(-1) : ends[0]) ?? 0;
  return characters.slice(0, characters.length - cut).join('');
}

/** Where a pattern with `*` is sought at every place, the work grows with the square of the length. */
const MOST_SOUGHT = 4096;

function replaceMatches(
  value: readonly string[],
  pattern: readonly GlobToken[],
  replacement: string,
  all: boolean,
): string {
  if (value.length > MOST_SOUGHT && pattern.some(({ kind }) => kind === 'many'))
    throw new InvalidWord(`a value of more than ${MOST_SOUGHT} characters is too long for a pattern with *`);
  let result = '';
  let at = 0;
  while (at <= value.length) {
    if (result.length > MOST_ADDED) throw new InvalidWord('variables make it longer than 1 MiB');
    const end = matchEnds(pattern, value, at).at(-1);
    if (end !== undefined) {
      result += replacement;
      if (!all) return result + value.slice(end).join('');
    }
    if (end === undefined || end === at) {
      result += value[at] ?? '';
      at += 1;
    } else at = end;
  }
  return result;
}
