import type { Flag, Problem } from './ast.ts';
import type { SourceText } from './source-text.ts';
import { endOfWord, isBlank, nearest, unquote } from './words.ts';

/** What each instruction understands; `boolean` flags may stand without a value. */
const FLAGS: Readonly<Record<string, Readonly<Record<string, 'value' | 'boolean'>>>> = {
  FROM: { platform: 'value' },
  RUN: { mount: 'value', network: 'value', security: 'value', device: 'value' },
  COPY: {
    from: 'value',
    chown: 'value',
    chmod: 'value',
    link: 'boolean',
    parents: 'boolean',
    exclude: 'value',
  },
  ADD: {
    'keep-git-dir': 'boolean',
    checksum: 'value',
    chown: 'value',
    chmod: 'value',
    link: 'boolean',
    exclude: 'value',
    unpack: 'boolean',
  },
  HEALTHCHECK: {
    interval: 'value',
    timeout: 'value',
    'start-period': 'value',
    'start-interval': 'value',
    retries: 'value',
  },
};

const REPEATABLE = new Set(['mount', 'exclude', 'device']);

/** Flags that start at `from`, and where what follows them starts. */
export function readFlags(source: SourceText, from: number, escape: string): { flags: Flag[]; end: number } {
  const { text } = source;
  const flags: Flag[] = [];
  let at = skipBlanks(text, from);
  while (text.startsWith('--', at)) {
    const end = endOfWord(text, at, escape);
    const word = text.slice(at, end);
    const range = source.range(at, end);
    at = skipBlanks(text, end);
    // A bare `--` ends the flags.
    if (word === '--') break;
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const value = equals < 0 ? undefined : unquote(word.slice(equals + 1), escape);
    flags.push({ name, value, range });
  }
  return { flags, end: at };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at += 1;
  return at;
}

/** What is wrong with an instruction's flags. */
export function checkFlags(keyword: string, flags: readonly Flag[]): Problem[] {
  const known = FLAGS[keyword] ?? {};
  const seen = new Set<string>();
  return flags.flatMap((flag) => {
    const problem = checkFlag(keyword, flag, known) ?? checkRepeated(flag, seen);
    seen.add(flag.name);
    return problem ? [problem] : [];
  });
}

function checkFlag(
  keyword: string,
  flag: Flag,
  known: Readonly<Record<string, string>>,
): Problem | undefined {
  const { name, value, range } = flag;
  const kind = Object.hasOwn(known, name) ? known[name] : undefined;
  if (kind === undefined) {
    const meant = nearest(name, Object.keys(known));
    const hint = meant ? `; did you mean --${meant}?` : '';
    return error('FLAG_UNKNOWN', `${keyword} has no flag --${name}${hint}`, range);
  }
  if (kind === 'boolean') {
    if (value === undefined || value === 'true' || value === 'false') return undefined;
    return error('FLAG_INVALID', `--${name} takes true or false, not ${value}`, range);
  }
  return value === undefined
    ? error('FLAG_INVALID', `--${name} needs a value: --${name}=…`, range)
    : undefined;
}

function checkRepeated(flag: Flag, seen: ReadonlySet<string>): Problem | undefined {
  if (!seen.has(flag.name) || REPEATABLE.has(flag.name)) return undefined;
  return error('FLAG_INVALID', `--${flag.name} is given twice`, flag.range);
}

function error(code: Problem['code'], message: string, range: Flag['range']): Problem {
  return { code, severity: 'error', message, range };
}
