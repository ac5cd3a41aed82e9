import { FLAGS, UNSUPPORTED } from './flags.ts';
import { nearest } from '@updraft/kit';

/** A parsed command line, or the one thing that is wrong with it. */
export type KanikoArguments = Arguments | { readonly kind: 'wrong'; readonly message: string };

export interface Arguments {
  readonly kind: 'ok';
  readonly text: (name: string) => string | undefined;
  readonly texts: (name: string) => readonly string[];
  readonly flag: (name: string) => boolean;
  /** `--flag: why it changes nothing`. */
  readonly withoutEffect: readonly string[];
}

const SHORT = Object.fromEntries(
  Object.entries(FLAGS).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name]])),
) as Readonly<Record<string, string>>;

/** `--name=value`, `--name value`, `-c value`; switches take a value only after `=`. */
export function parseKaniko(argv: readonly string[]): KanikoArguments {
  const values = new Map<string, string[]>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const read = readFlag(word, words);
    if (typeof read === 'string') return { kind: 'wrong', message: read };
    values.set(read.name, [...(values.get(read.name) ?? []), read.value]);
  }
  return {
    kind: 'ok',
    text: (name) => values.get(name)?.at(-1),
    texts: (name) => values.get(name) ?? [],
    flag: (name) => values.get(name)?.at(-1) === 'true',
    withoutEffect: [...values.keys()].flatMap((name) => {
      const why = FLAGS[name]?.noEffect;
      return why === undefined ? [] : [`--${name}: ${why}`];
    }),
  };
}

/** As Go reads them. */
const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** Takes a flag, and its value from `rest` when it stands there. A text says what is wrong. */
function readFlag(word: string, rest: string[]): { name: string; value: string } | string {
  const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(word);
  if (!match?.[1]) return `unexpected argument: ${word}`;
  const name = word.startsWith('--') ? match[1] : (SHORT[match[1]] ?? match[1]);
  const spec = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
  if (!spec) return unknown(name);
  const value = match[2] ?? (spec.kind === 'switch' ? 'true' : rest.shift());
  if (value === undefined) return `flag --${name} needs a value`;
  if (spec.kind !== 'switch') return { name, value };
  const isOn = SWITCH.get(value);
  return isOn === undefined ? `flag --${name} is true or false, not ${value}` : { name, value: String(isOn) };
}

function unknown(name: string): string {
  const why = Object.hasOwn(UNSUPPORTED, name) ? UNSUPPORTED[name] : undefined;
  if (why !== undefined) return `flag --${name} is kaniko's, but Updraft's builder does not have it: ${why}`;
  const near = nearest(name, Object.keys(FLAGS));
  return `unknown flag: --${name}${near === undefined ? '' : ` (did you mean --${near}?)`}`;
}
