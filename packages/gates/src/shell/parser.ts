import type { Assignment, CompoundCommand, Pipeline, Redirection, ShellCommand, ShellScript, SimpleCommand, Word } from './ast.ts'; // prettier-ignore
import { ShellLexer } from './lexer.ts';
import type { Token } from './lexer.ts';
import type { ScannedWord } from './word-scanner.ts';

const MAX_DEPTH = 60;
const REDIRECTIONS = new Set(['<', '>', '>>', '<<', '<<-', '<<<', '>&', '<&', '<>', '>|', '&>', '&>>']);
const SEPARATORS = new Set(['&&', '||', ';', '&']);
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]]*\])?\+?=/;
/** Word that opens a compound command -> words that end its lists, the last one closing it. */
const COMPOUNDS: Readonly<Record<string, readonly string[]>> = {
  if: ['then', 'elif', 'else', 'fi'],
  while: ['do', 'done'],
  until: ['do', 'done'],
  '{': ['}'],
};

/** Parses what a POSIX shell or bash would run. Never throws: see `ShellScript.errors`. */
export function parseShell(text: string): ShellScript {
  return parseNested(text, 0);
}

function parseNested(text: string, depth: number): ShellScript {
  if (depth > MAX_DEPTH) return { pipelines: [], errors: ['commands are nested too deeply'] };
  return new ShellParser(text, depth).script();
}

interface Ends {
  readonly words?: readonly string[];
  readonly operators?: readonly string[];
}

class ShellParser {
  readonly #lexer: ShellLexer;
  readonly #errors: string[] = [];
  #depth: number;
  #token: Token;

  constructor(text: string, depth: number) {
    this.#lexer = new ShellLexer(text);
    this.#depth = depth;
    this.#token = this.#lexer.next();
  }

  script(): ShellScript {
    const pipelines: Pipeline[] = [];
    while (this.#token.kind !== 'end') {
      pipelines.push(...this.#list({}));
      if (this.#peekIsEnd()) break;
      this.#errors.push(`unexpected ${describe(this.#token)}`);
      this.#advance();
    }
    return { pipelines, errors: this.#errors };
  }

  #peekIsEnd(): boolean {
    return this.#token.kind === 'end';
  }

  #advance(): void {
    this.#token = this.#lexer.next();
  }

  #isOperator(text: string): boolean {
    return this.#token.kind === 'operator' && this.#token.text === text;
  }

  /** The current token as an unquoted word, or undefined. */
  #plain(): string | undefined {
    const token = this.#token;
    return token.kind === 'word' && !token.word.quoted ? token.word.raw : undefined;
  }

  #takeWord(expected: string): boolean {
    if (this.#plain() !== expected) return false;
    this.#advance();
    return true;
  }

  #skipNewlines(): void {
    while (this.#token.kind === 'newline') this.#advance();
  }

  #atEnd(ends: Ends): boolean {
    const token = this.#token;
    if (token.kind === 'end') return true;
    if (token.kind === 'operator') return ends.operators?.includes(token.text) ?? false;
    return token.kind === 'word' && (ends.words?.includes(this.#plain() ?? '') ?? false);
  }

  #list(ends: Ends): Pipeline[] {
    const pipelines: Pipeline[] = [];
    let after: string | undefined;
    for (;;) {
      this.#skipNewlines();
      if (this.#atEnd(ends)) return pipelines;
      const commands = this.#pipeline();
      if (commands.length > 0) pipelines.push({ commands, after });
      const separator = this.#separator();
      if (separator === undefined) return pipelines;
      after = separator;
    }
  }

  #separator(): string | undefined {
    const token = this.#token;
    if (token.kind === 'newline') {
      this.#advance();
      return ';';
    }
    if (token.kind !== 'operator' || !SEPARATORS.has(token.text)) return undefined;
    this.#advance();
    return token.text;
  }

  #pipeline(): ShellCommand[] {
    const commands: ShellCommand[] = [];
    while (this.#plain() === '!' || this.#plain() === 'time') this.#advance();
    for (;;) {
      const command = this.#command();
      if (command !== undefined) commands.push(command);
      if (!this.#isOperator('|') && !this.#isOperator('|&')) return commands;
      this.#advance();
      this.#skipNewlines();
    }
  }

  #command(): ShellCommand | undefined {
    if (this.#depth > MAX_DEPTH) return undefined;
    this.#depth += 1;
    try {
      return this.#compound() ?? this.#simple();
    } finally {
      this.#depth -= 1;
    }
  }

  #compound(): CompoundCommand | undefined {
    if (this.#isOperator('(')) return this.#subshell();
    const word = this.#plain();
    if (word === undefined) return undefined;
    if (word === 'for' || word === 'select') return this.#for(word);
    if (word === 'case') return this.#case();
    if (word === '[[') return this.#test();
    if (word === 'function') return this.#function();
    const ends = Object.hasOwn(COMPOUNDS, word) ? COMPOUNDS[word] : undefined;
    return ends === undefined ? undefined : this.#lists(word, ends);
  }

  #subshell(): CompoundCommand {
    this.#advance();
    const body = this.#body({ operators: [')'] });
    if (this.#isOperator(')')) this.#advance();
    return this.#closed('(', [body]);
  }

  #lists(keyword: string, ends: readonly string[]): CompoundCommand {
    this.#advance();
    const bodies: ShellScript[] = [];
    const last = ends.at(-1);
    for (;;) {
      bodies.push(this.#body({ words: ends }));
      const at = this.#plain();
      if (at === undefined || !ends.includes(at)) return this.#unclosed(keyword, bodies);
      this.#advance();
      if (at === last) return this.#closed(keyword, bodies);
    }
  }

  #body(ends: Ends): ShellScript {
    return { pipelines: this.#list(ends), errors: [] };
  }

  #unclosed(keyword: string, bodies: ShellScript[]): CompoundCommand {
    this.#errors.push(`${keyword} is not closed`);
    return { kind: 'compound', keyword, bodies, words: [] };
  }

  /** Takes the redirections behind a compound command. */
  #closed(keyword: string, bodies: ShellScript[], words: Word[] = []): CompoundCommand {
    const targets: Word[] = [];
    for (let found = this.#redirection(); found; found = this.#redirection()) targets.push(found.target);
    return { kind: 'compound', keyword, bodies, words: [...words, ...targets] };
  }

  #for(keyword: string): CompoundCommand {
    this.#advance();
    const words: Word[] = [];
    while (this.#token.kind !== 'end' && this.#plain() !== 'do' && this.#plain() !== '{') {
      if (this.#token.kind === 'word') words.push(this.#toWord(this.#token.word));
      this.#advance();
    }
    const end = this.#plain() === 'do' ? 'done' : '}';
    this.#advance();
    const body = this.#body({ words: [end] });
    if (!this.#takeWord(end)) return this.#unclosed(keyword, [body]);
    return this.#closed(keyword, [body], words);
  }

  #case(): CompoundCommand {
    this.#advance();
    const words: Word[] = [];
    while (this.#token.kind !== 'end' && this.#plain() !== 'in') {
      if (this.#token.kind === 'word') words.push(this.#toWord(this.#token.word));
      this.#advance();
    }
    this.#advance();
    const bodies: ShellScript[] = [];
    for (;;) {
      this.#skipNewlines();
      if (this.#takeWord('esac')) return this.#closed('case', bodies, words);
      if (this.#peekIsEnd()) return this.#unclosed('case', bodies);
      bodies.push(this.#caseArm());
    }
  }

  #caseArm(): ShellScript {
    if (this.#isOperator('(')) this.#advance();
    while (!this.#peekIsEnd() && !this.#isOperator(')')) this.#advance();
    this.#advance();
    const body = this.#body({ operators: [';;', ';&', ';;&'], words: ['esac'] });
    if (this.#token.kind === 'operator') this.#advance();
    return body;
  }

  #test(): CompoundCommand {
    const words: Word[] = [];
    while (!this.#peekIsEnd() && this.#plain() !== ']]') {
      if (this.#token.kind === 'word') words.push(this.#toWord(this.#token.word));
      this.#advance();
    }
    this.#advance();
    return this.#closed('[[', [], words);
  }

  #function(): CompoundCommand {
    this.#advance();
    if (this.#token.kind === 'word') this.#advance();
    return this.#functionBody();
  }

  #functionBody(): CompoundCommand {
    if (this.#isOperator('(')) this.#advance();
    if (this.#isOperator(')')) this.#advance();
    this.#skipNewlines();
    const body = this.#command();
    const pipelines = body === undefined ? [] : [{ commands: [body], after: undefined }];
    return { kind: 'compound', keyword: 'function', bodies: [{ pipelines, errors: [] }], words: [] };
  }

  #simple(): ShellCommand | undefined {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const redirection = this.#redirection();
      if (redirection !== undefined) {
        redirections.push(redirection);
        continue;
      }
      if (this.#isOperator('(') && words.length === 1) return this.#functionBody();
      if (this.#token.kind !== 'word') break;
      const scanned = this.#token.word;
      this.#advance();
      const assignment = words.length === 0 ? this.#assignment(scanned) : undefined;
      if (assignment !== undefined) assignments.push(assignment);
      else words.push(this.#toWord(scanned));
    }
    if (assignments.length + words.length + redirections.length === 0) return undefined;
    return { kind: 'simple', assignments, words, redirections } satisfies SimpleCommand;
  }

  #assignment(scanned: ScannedWord): Assignment | undefined {
    const match = ASSIGNMENT.exec(scanned.raw);
    if (match?.[1] === undefined) return undefined;
    const value = this.#toWord(scanned);
    return { name: match[1], value: { ...value, text: value.text.slice(value.text.indexOf('=') + 1) } };
  }

  #redirection(): Redirection | undefined {
    const token = this.#token;
    if (token.kind !== 'operator' || !REDIRECTIONS.has(token.text)) return undefined;
    this.#advance();
    const target = this.#token;
    if (target.kind !== 'word') {
      this.#errors.push(`${token.text} has no target`);
      return { operator: token.text, target: EMPTY_WORD };
    }
    this.#advance();
    return { operator: token.text, target: this.#toWord(target.word) };
  }

  #toWord(scanned: ScannedWord): Word {
    const scripts = scanned.inner.map((text) => parseNested(text, this.#depth + 1));
    return { text: scanned.text, raw: scanned.raw, quoted: scanned.quoted, scripts };
  }
}

const EMPTY_WORD: Word = { text: '', raw: '', quoted: false, scripts: [] };

function describe(token: Token): string {
  if (token.kind === 'word') return token.word.raw;
  return token.kind === 'operator' ? token.text : token.kind;
}
