import { expandWords } from '@updraft/dockerfile';
import type { NameValue, Word } from '@updraft/dockerfile';
import { BuildFailure } from './failure.ts';

/** Proxies are handed to every RUN without being declared, and no layer depends on them. */
const PREDEFINED = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
);

/** The variables of a stage: what ENV set, and which arguments are declared so far. */
export class Scope {
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;
  readonly escape: '\\' | '`';

  constructor(
    escape: '\\' | '`',
    env: Iterable<readonly [string, string]> = [],
    args: Iterable<readonly [string, string]> = [],
  ) {
    this.escape = escape;
    this.env = new Map(env);
    this.args = new Map(args);
  }

  /** ENV hides an argument of its name. */
  get(name: string): string | undefined {
    return this.env.get(name) ?? this.args.get(name);
  }

  /** Everything a command sees, by name. */
  variables(): Record<string, string> {
    return { ...Object.fromEntries(this.args), ...Object.fromEntries(this.env) };
  }

  /** One word, variables replaced and quotes taken away. */
  word(word: Word): string {
    return this.#expand(word).text;
  }

  /** The words that a word becomes once variables are replaced. */
  words(word: Word): readonly string[] {
    return this.#expand(word).words;
  }

  /** The body of a here-document. */
  body(text: string, word: Word): string {
    return this.#expand({ text, range: word.range }, true).text;
  }

  pairs(pairs: readonly NameValue[]): [string, string][] {
    return pairs.map(({ name, value }) => [this.word(name), value ? this.word(value) : '']);
  }

  #expand(word: Word, literalQuotes = false) {
    const expanded = expandWords(word.text, (name) => this.get(name), { escape: this.escape, literalQuotes });
    if (expanded.kind === 'expanded') return expanded;
    throw new BuildFailure(`${word.text}: ${expanded.message}`, word.range);
  }
}

/** Build arguments: what the user gave, and the ones every build has. */
export interface Arguments {
  readonly given: Readonly<Record<string, string>>;
  readonly platform: Readonly<Record<string, string>>;
  /** Declared before the first FROM. */
  readonly global: Scope;
  /** Names of given arguments that some ARG asked for. */
  readonly used: Set<string>;
}

/** The value of `ARG name=…` here; undefined: declared, without a value. */
export function argumentValue(
  args: Arguments,
  scope: Scope,
  pair: NameValue,
  inStage: boolean,
): string | undefined {
  const name = scope.word(pair.name);
  const given = Object.hasOwn(args.given, name) ? args.given[name] : undefined;
  if (given !== undefined) {
    args.used.add(name);
    return given;
  }
  if (pair.value) return scope.word(pair.value);
  if (inStage && args.global.args.has(name)) return args.global.args.get(name);
  return args.platform[name];
}

/** Proxy settings among the given arguments. */
export function proxies(args: Arguments): Record<string, string> {
  const entries = Object.entries(args.given).filter(([name]) => PREDEFINED.has(name));
  for (const [name] of entries) args.used.add(name);
  return Object.fromEntries(entries);
}

/** BUILDPLATFORM, TARGETARCH, … */
export function platformArguments(target: string, build: string, stage: string): Record<string, string> {
  return { ...platformParts('BUILD', build), ...platformParts('TARGET', target), TARGETSTAGE: stage };
}

function platformParts(prefix: string, platform: string): Record<string, string> {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return {
    [`${prefix}PLATFORM`]: platform,
    [`${prefix}OS`]: os,
    [`${prefix}ARCH`]: architecture,
    [`${prefix}VARIANT`]: variant,
  };
}
