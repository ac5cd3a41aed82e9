/** A word cut out of a script; `inner` is the text of each command or process substitution in it. */
export interface ScannedWord {
  readonly text: string;
  readonly raw: string;
  readonly quoted: boolean;
  readonly inner: readonly string[];
  readonly end: number;
}

const ENDS_WORD = /[\s;&|<>()]/;

/** Reads one word from `start`; an open quote ends at the end of the text. */
export function scanWord(text: string, start: number): ScannedWord {
  const scanner = new WordScanner(text, start);
  scanner.run();
  return scanner.result();
}

class WordScanner {
  readonly #text: string;
  readonly #start: number;
  #at: number;
  #value = '';
  #quoted = false;
  readonly #inner: string[] = [];

  constructor(text: string, start: number) {
    this.#text = text;
    this.#start = start;
    this.#at = start;
  }

  result(): ScannedWord {
    const raw = this.#text.slice(this.#start, this.#at);
    return { text: this.#value, raw, quoted: this.#quoted, inner: this.#inner, end: this.#at };
  }

  run(): void {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      const startsProcess =
        this.#at === this.#start && /^[<>]\($/.test(this.#text.slice(this.#at, this.#at + 2));
      if (startsProcess) this.#substitution(1);
      else if (ENDS_WORD.test(character)) break;
      else this.#part(character);
    }
    // A character no rule takes must not stop the lexer.
    if (this.#at === this.#start) this.#literal();
  }

  #part(character: string): void {
    if (character === '\\') this.#escape();
    else if (character === "'") this.#single();
    else if (character === '"') this.#double();
    else if (character === '$' || character === '`') this.#expansion();
    else this.#literal();
  }

  #literal(): void {
    this.#value += this.#text[this.#at] ?? '';
    this.#at += 1;
  }

  #escape(): void {
    const next = this.#text[this.#at + 1];
    this.#at += next === undefined ? 1 : 2;
    if (next === '\n') return;
    this.#quoted = true;
    this.#value += next ?? '\\';
  }

  #single(): void {
    this.#quoted = true;
    const close = this.#text.indexOf("'", this.#at + 1);
    const end = close < 0 ? this.#text.length : close;
    this.#value += this.#text.slice(this.#at + 1, end);
    this.#at = Math.min(end + 1, this.#text.length);
  }

  #double(): void {
    this.#quoted = true;
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      const character = this.#text[this.#at];
      if (character === '$' || character === '`') this.#expansion();
      else if (character === '\\' && '$`"\\\n'.includes(this.#text[this.#at + 1] ?? ' ')) this.#escape();
      else this.#literal();
    }
    this.#at = Math.min(this.#at + 1, this.#text.length);
  }

  #expansion(): void {
    if (this.#text[this.#at] === '`') return this.#backquotes();
    const next = this.#text[this.#at + 1];
    if (next === '(') this.#substitution(1);
    else if (next === '{') this.#braces();
    else this.#literal();
  }

  #backquotes(): void {
    const close = this.#text.indexOf('`', this.#at + 1);
    const end = close < 0 ? this.#text.length : close;
    this.#inner.push(this.#text.slice(this.#at + 1, end));
    this.#keep(Math.min(end + 1, this.#text.length));
  }

  #substitution(openAt: number): void {
    const from = this.#at + openAt + 1;
    const close = closing(this.#text, from, '(', ')');
    const inside = this.#text.slice(from, close);
    // `$((…))` is arithmetic, not a script.
    if (!inside.startsWith('(')) this.#inner.push(inside);
    this.#keep(Math.min(close + 1, this.#text.length));
  }

  #braces(): void {
    const close = closing(this.#text, this.#at + 2, '{', '}');
    this.#keep(Math.min(close + 1, this.#text.length));
  }

  #keep(end: number): void {
    this.#value += this.#text.slice(this.#at, end);
    this.#at = end;
  }
}

/** Where the bracket that was opened before `from` closes, quotes respected; the text's end when it does not. */
function closing(text: string, from: number, open: string, close: string): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\\') at += 1;
    else if (character === "'" || character === '"') at = quoteEnd(text, at);
    else if (character === open) depth += 1;
    else if (character === close) depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function quoteEnd(text: string, from: number): number {
  const quote = text[from];
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\' && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return text.length;
}
