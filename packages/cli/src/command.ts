import { parseArgs } from 'node:util';
import type { Output } from './output.ts';

export const EXIT = { passed: 0, failed: 1, usage: 2, platform: 3 } as const;

/** One option of a command; `value` names its argument in the help, absent for a switch. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly repeated?: boolean;
  readonly help: string;
}

export interface Parsed {
  readonly words: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

export interface Context extends Parsed {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A verb of the command line, as data: the help is made from it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options: readonly Option[];
  /** false: words that are no options are a mistake. */
  readonly operands?: false;
  readonly details?: string;
  run(context: Context): Promise<number>;
}

/** The user's command line is wrong; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** Options that every command has. */
export const COMMON: readonly Option[] = [{ name: 'help', short: 'h', help: 'show this help' }];

export function parseWords(command: Command, words: readonly string[]): Parsed {
  const options = [...command.options, ...COMMON];
  const config = Object.fromEntries(
    options.map((option) => [
      option.name,
      {
        type: option.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: option.repeated ?? false,
        ...(option.short === undefined ? {} : { short: option.short }),
      },
    ]),
  );
  const { values, positionals } = parseOrThrow(command, words, config);
  if (command.operands === false && positionals.length > 0) {
    const message = `${command.name} takes options only, not ${positionals.join(' ')}`;
    throw new UsageError(message, `See: updraft ${command.name} --help`);
  }
  const get = (name: string): unknown => values[name];
  return {
    words: positionals,
    flag: (name) => get(name) === true,
    text: (name) => (typeof get(name) === 'string' ? String(get(name)) : undefined),
    texts: (name) => (Array.isArray(get(name)) ? (get(name) as string[]) : []),
  };
}

function parseOrThrow(
  command: Command,
  words: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'] & object,
) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    throw new UsageError(message, `See: updraft ${command.name} --help`);
  }
}

export function helpOf(command: Command): string {
  const rows = [...command.options, ...COMMON].map((option) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    return [
      `${short}--${option.name}${value}`,
      option.repeated ? `${option.help} (may be repeated)` : option.help,
    ] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const table = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
  const details = command.details === undefined ? '' : `\n${command.details.trim()}\n`;
  return `${command.summary}\n\nUsage: updraft ${command.usage}\n${details}\nOptions:\n${table}\n`;
}

/** `K=V` options to an object. */
export function keyValues(pairs: readonly string[], option: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const cut = pair.indexOf('=');
      if (cut <= 0) throw new UsageError(`--${option} ${pair}: not KEY=VALUE`, 'Write it as KEY=VALUE.');
      return [pair.slice(0, cut), pair.slice(cut + 1)];
    }),
  );
}
