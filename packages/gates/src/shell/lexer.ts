import { scanWord } from './word-scanner.ts';
import type { ScannedWord } from './word-scanner.ts';

export type Token =
  | { readonly kind: 'word'; readonly word: ScannedWord }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'newline' }
  | { readonly kind: 'end' };

/** Longest first, so that `<<-` is not read as `<<` and `-`. */
const OPERATORS = [
  '&>>', '<<<', '<<-', ';;&', '&&', '||', ';;', ';&', '|&', '&>', '<<', '>>', '>&', '<&', '<>', '>|',
  '|', '&', ';', '(', ')', '<', '>',
]; // prettier-ignore

interface Heredoc {
  readonly delimiter: string;
  readonly stripTabs: boolean;
}

/** Cuts a script into tokens, one at a time; here-documents are skipped at the line end they start after. */
export class ShellLexer {
  readonly #text: string;
  #at = 0;
  #heredocs: Heredoc[] = [];
  #heredocOperator: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skipBlanks();
    if (this.#at >= this.#text.length) return { kind: 'end' };
    if (this.#text[this.#at] === '\n') return this.#newline();
    this.#skipDescriptor();
    const operator = this.#operator();
    if (operator !== undefined) return this.#take(operator);
    return this.#word();
  }

  #skipBlanks(): void {
    for (;;) {
      const rest = this.#text[this.#at];
      if (rest === ' ' || rest === '\t' || rest === '\r') this.#at += 1;
      else if (rest === '\\' && /^\\\r?\n/.test(this.#text.slice(this.#at, this.#at + 3))) {
        this.#at = this.#text.indexOf('\n', this.#at) + 1;
      } else if (rest === '#') this.#at = this.#lineEnd(this.#at);
      else return;
    }
  }

  #lineEnd(from: number): number {
    const end = this.#text.indexOf('\n', from);
    return end < 0 ? this.#text.length : end;
  }

  #newline(): Token {
    this.#at += 1;
    for (const heredoc of this.#heredocs) this.#skipHeredoc(heredoc);
    this.#heredocs = [];
    return { kind: 'newline' };
  }

  #skipHeredoc({ delimiter, stripTabs }: Heredoc): void {
    while (this.#at < this.#text.length) {
      const end = this.#lineEnd(this.#at);
      const line = this.#text.slice(this.#at, end);
      this.#at = Math.min(end + 1, this.#text.length);
      if ((stripTabs ? line.replace(/^\t+/, '') : line) === delimiter) return;
    }
  }

  /** The `2` of `2>file` belongs to the redirection and is no word. */
  #skipDescriptor(): void {
    const digits = /^\d+(?=[<>])/.exec(this.#text.slice(this.#at, this.#at + 8));
    this.#at += digits?.[0].length ?? 0;
  }

  #operator(): string | undefined {
    // `<(…)` and `>(…)` are words: process substitution.
    if (/^[<>]\(/.test(this.#text.slice(this.#at, this.#at + 2))) return undefined;
    return OPERATORS.find((operator) => this.#text.startsWith(operator, this.#at));
  }

  #take(operator: string): Token {
    this.#at += operator.length;
    this.#heredocOperator = operator === '<<' || operator === '<<-' ? operator : undefined;
    return { kind: 'operator', text: operator };
  }

  #word(): Token {
    const word = scanWord(this.#text, this.#at);
    this.#at = word.end;
    if (this.#heredocOperator !== undefined) {
      this.#heredocs.push({ delimiter: word.text, stripTabs: this.#heredocOperator === '<<-' });
      this.#heredocOperator = undefined;
    }
    return { kind: 'word', word };
  }
}
