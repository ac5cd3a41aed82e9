import type {
  CommandLine,
  CopySource,
  Heredoc,
  Instruction,
  InstructionBase,
  NameValue,
  Problem,
  Range,
  Word,
} from './ast.ts';
import { checkFlags, readFlags } from './flags.ts';
import { heredocMark, stringList } from './heredoc.ts';
import type { SourceText } from './source-text.ts';
import { blankSeparated, nearest, quotedWords } from './words.ts';

/** The text of one instruction, ready to be understood. */
export interface InstructionText {
  readonly source: SourceText;
  /** Where the keyword starts. */
  readonly from: number;
  readonly heredocs: readonly Heredoc[];
  readonly range: Range;
  readonly escape: string;
}

/** What a parser of one keyword is given; `start` and `end` bound the arguments in the source. */
interface Arguments {
  readonly base: InstructionBase;
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
  readonly escape: string;
}

/** Stops the reading of one instruction; never leaves this file. */
class Wrong extends Error {
  readonly problem: Problem;

  constructor(code: Problem['code'], message: string, range: Range) {
    super(message);
    this.problem = { code, severity: 'error', message, range };
  }
}

type Parser = (args: Arguments) => Instruction;

const PARSERS: Readonly<Record<string, Parser>> = {
  FROM: parseFrom,
  RUN: (args) => ({ ...args.base, keyword: 'RUN', command: required(args, commandLine(args)) }),
  CMD: (args) => ({ ...args.base, keyword: 'CMD', command: required(args, commandLine(args)) }),
  ENTRYPOINT: (args) => ({ ...args.base, keyword: 'ENTRYPOINT', command: required(args, commandLine(args)) }),
  SHELL: parseShell,
  ENV: (args) => ({ ...args.base, keyword: 'ENV', ...parsePairs(args) }),
  LABEL: (args) => ({ ...args.base, keyword: 'LABEL', ...parsePairs(args) }),
  ARG: parseArg,
  COPY: (args) => ({ ...args.base, keyword: 'COPY', ...parseCopy(args) }),
  ADD: (args) => ({ ...args.base, keyword: 'ADD', ...parseCopy(args) }),
  EXPOSE: (args) => ({ ...args.base, keyword: 'EXPOSE', words: atLeastOne(args, blankWords(args)) }),
  VOLUME: (args) => ({ ...args.base, keyword: 'VOLUME', words: atLeastOne(args, listWords(args)) }),
  MAINTAINER: (args) => ({ ...args.base, keyword: 'MAINTAINER', value: whole(args) }),
  USER: (args) => ({ ...args.base, keyword: 'USER', value: whole(args) }),
  WORKDIR: (args) => ({ ...args.base, keyword: 'WORKDIR', value: whole(args) }),
  STOPSIGNAL: (args) => ({ ...args.base, keyword: 'STOPSIGNAL', value: whole(args) }),
  ONBUILD: parseOnbuild,
  HEALTHCHECK: parseHealthcheck,
};

/** Every keyword of the language. */
export const KEYWORDS: readonly string[] = Object.keys(PARSERS);

/** Understands one instruction; it is undefined when an error keeps it from being one. */
export function parseInstruction(text: InstructionText): {
  instruction: Instruction | undefined;
  problems: readonly Problem[];
} {
  const args = readArguments(text);
  const { keyword, keywordRange, flags } = args.base;
  const parser = Object.hasOwn(PARSERS, keyword) ? PARSERS[keyword] : undefined;
  if (!parser) {
    const meant = nearest(keyword, KEYWORDS);
    const message = `unknown instruction ${keyword}${meant ? `; did you mean ${meant}?` : ''}`;
    const problem: Problem = { code: 'INSTRUCTION_UNKNOWN', severity: 'error', message, range: keywordRange };
    return { instruction: undefined, problems: [problem] };
  }
  const problems = checkFlags(keyword, flags);
  if (problems.length > 0) return { instruction: undefined, problems };
  try {
    return { instruction: parser(args), problems: [] };
  } catch (wrong) {
    if (wrong instanceof Wrong) return { instruction: undefined, problems: [wrong.problem] };
    throw wrong;
  }
}

function readArguments({ source, from, heredocs, range, escape }: InstructionText): Arguments {
  const { text } = source;
  const word = blankSeparated(text, from)[0] ?? { start: from, end: from };
  const { flags, end: start } = readFlags(source, word.end, escape);
  const end = Math.max(start, text.trimEnd().length);
  const base: InstructionBase = {
    keyword: text.slice(word.start, word.end).toUpperCase(),
    keywordRange: source.range(word.start, word.end),
    range,
    flags,
    text: text.slice(start, end),
    textRange: source.range(start, end),
    heredocs,
  };
  return { base, source, start, end, escape };
}

function required<T>({ base }: Arguments, value: T): T {
  if (base.text !== '') return value;
  throw new Wrong('ARGUMENT_MISSING', `${base.keyword} needs an argument`, base.keywordRange);
}

function atLeastOne(args: Arguments, words: readonly Word[]): readonly Word[] {
  return required(args, words);
}

function whole(args: Arguments): Word {
  return required(args, { text: args.base.text, range: args.base.textRange });
}

function blankWords({ source, start }: Arguments): Word[] {
  return blankSeparated(source.text, start).map((span) => source.word(span.start, span.end));
}

/** The words of a JSON array with the places of their literals; undefined when the arguments are no such array. */
function jsonWords({ source, start, end, base }: Arguments): Word[] | undefined {
  const values = stringList(base.text);
  if (!values) return undefined;
  const literals = [...source.text.slice(start, end).matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return values.map((text, index) => {
    const at = start + (literals[index]?.index ?? 0);
    return { text, range: source.range(at, at + (literals[index]?.[0].length ?? 0)) };
  });
}

function listWords(args: Arguments): Word[] {
  return jsonWords(args) ?? blankWords(args);
}

function commandLine(args: Arguments): CommandLine {
  const words = jsonWords(args);
  const range = args.base.textRange;
  return words ? { form: 'exec', words, range } : { form: 'shell', text: args.base.text, range };
}

function parseFrom(args: Arguments): Instruction {
  const [image, as, name, extra] = blankWords(args);
  if (!image) throw new Wrong('ARGUMENT_MISSING', 'FROM needs an image', args.base.keywordRange);
  const rest = { ...args.base, keyword: 'FROM' as const, image };
  if (!as) return { ...rest, stageName: undefined };
  if (as.text.toUpperCase() !== 'AS') {
    throw new Wrong('ARGUMENT_UNEXPECTED', `expected AS and a stage name, not ${as.text}`, as.range);
  }
  if (!name) throw new Wrong('ARGUMENT_MISSING', 'AS needs a stage name', as.range);
  if (extra)
    throw new Wrong('ARGUMENT_UNEXPECTED', `FROM has one argument too many: ${extra.text}`, extra.range);
  if (!/^[a-z][a-z0-9._-]*$/.test(name.text.toLowerCase())) {
    const message = `${name.text} is no stage name: a letter first, then letters, digits, . _ -`;
    throw new Wrong('STAGE_NAME_INVALID', message, name.range);
  }
  return { ...rest, stageName: name };
}

function parseShell(args: Arguments): Instruction {
  const words = jsonWords(required(args, args));
  if (words && words.length > 0) return { ...args.base, keyword: 'SHELL', words };
  throw new Wrong(
    'JSON_REQUIRED',
    'SHELL needs the JSON form: SHELL ["program", "flag"]',
    args.base.textRange,
  );
}

function parsePairs(args: Arguments): { pairs: NameValue[]; legacy: boolean } {
  const { source, start, end, base, escape } = required(args, args);
  const spans = quotedWords(source.text.slice(0, end), start, escape);
  const [first] = spans;
  if (first && !source.text.slice(first.start, first.end).includes('=')) {
    return { pairs: [legacyPair(args)], legacy: true };
  }
  const pairs = spans.map(({ start: from, end: to }) => {
    const equals = source.text.indexOf('=', from);
    const word = source.word(from, to);
    if (equals < 0 || equals >= to) {
      throw new Wrong(
        'ARGUMENT_UNEXPECTED',
        `${base.keyword} expects name=value, not ${word.text}`,
        word.range,
      );
    }
    if (equals === from) throw new Wrong('NAME_INVALID', 'the name before = is empty', word.range);
    return { name: source.word(from, equals), value: source.word(equals + 1, to) };
  });
  return { pairs, legacy: false };
}

function legacyPair({ source, start, end, base }: Arguments): NameValue {
  const [name, rest] = blankSeparated(source.text, start);
  if (!name || !rest) {
    throw new Wrong('ARGUMENT_MISSING', `${base.keyword} needs a name and a value`, base.textRange);
  }
  return { name: source.word(name.start, name.end), value: source.word(rest.start, end) };
}

function parseArg(args: Arguments): Instruction {
  const { source, start, end, base, escape } = required(args, args);
  const spans = quotedWords(source.text.slice(0, end), start, escape);
  const pairs = spans.map(({ start: from, end: to }): NameValue => {
    const word = source.word(from, to);
    const equals = word.text.indexOf('=');
    if (equals === 0) throw new Wrong('NAME_INVALID', 'the name before = is empty', word.range);
    if (equals < 0) return { name: word, value: undefined };
    return { name: source.word(from, from + equals), value: source.word(from + equals + 1, to) };
  });
  return { ...base, keyword: 'ARG', pairs };
}

function parseCopy(args: Arguments): { sources: CopySource[]; target: Word } {
  const { base, escape } = args;
  const json = jsonWords(args);
  const words = json ?? blankWords(args);
  const target = words.at(-1);
  if (!target || words.length < 2) {
    const message = `${base.keyword} needs at least one source and a target`;
    throw new Wrong('ARGUMENT_MISSING', message, target?.range ?? base.keywordRange);
  }
  const pending = [...base.heredocs];
  const sources = words.slice(0, -1).map((word): CopySource => {
    const heredoc = !json && heredocMark(word.text, escape) ? pending.shift() : undefined;
    return heredoc ? { kind: 'heredoc', word, heredoc } : { kind: 'path', word };
  });
  if (!json && heredocMark(target.text, escape)) {
    throw new Wrong('ARGUMENT_UNEXPECTED', 'a here-document cannot be the target', target.range);
  }
  return { sources, target };
}

const NO_TRIGGER = new Set(['ONBUILD', 'FROM', 'MAINTAINER']);

function parseOnbuild(args: Arguments): Instruction {
  const { source, start, base, escape } = required(args, args);
  const range = { start: base.textRange.start, end: base.range.end };
  // Asked before it is read: a thousand of them in a row must not be a thousand calls deep.
  const keyword = /^\S*/.exec(base.text)?.[0].toUpperCase() ?? '';
  if (NO_TRIGGER.has(keyword))
    throw new Wrong('ONBUILD_FORBIDDEN', `ONBUILD cannot be followed by ${keyword}`, range);
  const inner = parseInstruction({ source, from: start, heredocs: base.heredocs, range, escape });
  const [problem] = inner.problems;
  if (problem || !inner.instruction)
    throw new Wrong(problem?.code ?? 'ONBUILD_FORBIDDEN', problem?.message ?? '', problem?.range ?? range);
  return { ...base, keyword: 'ONBUILD', instruction: inner.instruction };
}

function parseHealthcheck(args: Arguments): Instruction {
  const { source, start, base } = required(args, args);
  const [type, rest] = blankSeparated(source.text, start);
  const kind = type ? source.text.slice(type.start, type.end).toUpperCase() : '';
  if (kind === 'NONE') {
    if (rest) throw new Wrong('ARGUMENT_UNEXPECTED', 'NONE takes no argument', base.textRange);
    return { ...base, keyword: 'HEALTHCHECK', command: undefined };
  }
  if (kind !== 'CMD') {
    const message = `HEALTHCHECK knows CMD and NONE, not ${kind}`;
    throw new Wrong('ARGUMENT_UNEXPECTED', message, source.range(start, type?.end ?? start));
  }
  if (!rest) throw new Wrong('ARGUMENT_MISSING', 'HEALTHCHECK CMD needs a command', base.textRange);
  const text = source.text.slice(rest.start, args.end);
  const textRange = source.range(rest.start, args.end);
  const command = commandLine({ ...args, start: rest.start, base: { ...base, text, textRange } });
  return { ...base, keyword: 'HEALTHCHECK', command };
}
