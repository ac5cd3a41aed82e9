import { FLAGS, UNSUPPORTED } from './flags.ts';
import { nearest } from '@updraft/kit';

/** A parsed command line, or the one thing that is wrong with it. */
export type KanikoArguments =
  | {
      readonly kind: 'ok';
      readonly text: (name: string) => string | undefined;
      readonly texts: (name: string) => readonly string[];
      readonly flag: (name: string) => boolean;
      /** `--flag: why it changes nothing`. */
      readonly withoutEffect: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly message: string };

const SHORT = Object.fromEntries(
  Object.entries(FLAGS).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name]])),
) as Readonly<Record<string, string>>;

/** `--name=value`, `--name value`, `-c value`; switches take a value only after `=`. */
export function parseKaniko(argv: readonly string[]): KanikoArguments {
  const values = new Map<string, string[]>();
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(word);
    if (!match?.[1]) return { kind: 'wrong', message: `unexpected argument: ${word}` };
    const name = word.startsWith('--') ? match[1] : (SHORT[match[1]] ?? match[1]);
    const spec = FLAGS[name];
    if (!spec) return { kind: 'wrong', message: unknown(name) };
    let value = match[2];
    if (value === undefined && spec.kind !== 'switch') {
      index += 1;
      value = argv[index];
      if (value === undefined) return { kind: 'wrong', message: `flag --${name} needs a value` };
    }
    values.set(name, [...(values.get(name) ?? []), value ?? 'true']);
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

function unknown(name: string): string {
  if (UNSUPPORTED.includes(name))
    return `flag --${name} is kaniko's, but Updraft's builder does not have it yet`;
  const near = nearest(name, Object.keys(FLAGS));
  return `unknown flag: --${name}${near === undefined ? '' : ` (did you mean --${near}?)`}`;
}
