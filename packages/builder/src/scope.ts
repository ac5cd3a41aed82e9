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

/**
 * The variables of a stage. ENV and ARG set the same names: of two, the later one holds. Only what ENV set goes into the
 * image. A stage starts with its base's variables, where ENV comes before arguments of the same name.
 */
export class Scope {
  readonly escape: '\\' | '`';
  /** The image's own variables. */
  readonly env: ReadonlyMap<string, string>;
  /** Arguments declared so far, for the history; undefined: declared without a value. */
  readonly declared: ReadonlyMap<string, string | undefined>;
  readonly #env: Map<string, string>;
  readonly #declared: Map<string, string | undefined>;
  readonly #values: Map<string, string>;

  constructor(
    escape: '\\' | '`',
    env: Iterable<readonly [string, string]> = [],
    base?: Pick<Scope, 'declared' | 'variables'>,
  ) {
    this.escape = escape;
    this.#env = new Map(env);
    this.#declared = new Map(base?.declared ?? []);
    this.#values = new Map([...Object.entries(base?.variables() ?? {}), ...this.#env]);
    this.env = this.#env;
    this.declared = this.#declared;
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  setEnv(name: string, value: string): void {
    this.#env.set(name, value);
    this.#values.set(name, value);
  }

  /** An argument without a value hides nothing. */
  setArgument(name: string, value: string | undefined): void {
    this.#declared.set(name, value);
    if (value !== undefined) this.#values.set(name, value);
  }

  /** Everything a command sees, by name. */
  variables(): Record<string, string> {
    return Object.fromEntries(this.#values);
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
  return inStage ? args.global.get(name) : args.platform[name];
}

/** Proxy settings among the given arguments: programs look for them in either case. */
export function proxies(args: Arguments): Record<string, string> {
  const entries = Object.entries(args.given).filter(([name]) => PREDEFINED.has(name));
  for (const [name] of entries) args.used.add(name);
  return Object.fromEntries([
    ...entries.map(([name, value]) => [name.toLowerCase(), value]),
    ...entries.map(([name, value]) => [name.toUpperCase(), value]),
  ]) as Record<string, string>;
}

/** BUILDPLATFORM, TARGETARCH, …; a given argument of such a name takes its place. */
export function platformArguments(
  { target, build, stage }: { target: string; build: string; stage: string },
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = { ...platformParts('BUILD', build), ...platformParts('TARGET', target), TARGETSTAGE: stage };
  const entries = Object.entries(own).map(([name, value]) => [
    name,
    Object.hasOwn(given, name) ? given[name] : value,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function platformParts(prefix: string, platform: string): Record<string, string> {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return {
    [`${prefix}PLATFORM`]: platform,
    [`${prefix}OS`]: os,
    [`${prefix}OSVERSION`]: '',
    [`${prefix}ARCH`]: architecture,
    [`${prefix}VARIANT`]: variant,
  };
}
