import type { Writable } from 'node:stream';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Where a command writes: results to standard output, everything said on the way to standard error. */
export interface Output {
  /** The result: what `--json` promises is alone here. */
  result(text: string): void;
  /** Progress, warnings, errors. */
  say(text: string): void;
  style(style: Style, text: string): string;
  /** Standard error is a terminal that understands cursor movement. */
  readonly live: boolean;
  readonly columns: number;
  /** Control sequences, for live displays only. */
  raw(text: string): void;
}

export function createOutput(
  stdout: Writable,
  stderr: Writable & { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Output {
  const terminal = stderr.isTTY === true && env['TERM'] !== 'dumb';
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const colour = forced || (terminal && env['NO_COLOR'] === undefined);
  return {
    result: (text) => void stdout.write(`${text}\n`),
    say: (text) => void stderr.write(`${text}\n`),
    raw: (text) => void stderr.write(text),
    live: terminal && env['CI'] === undefined,
    get columns() {
      return stderr.columns ?? 100;
    },
    style: (style, text) => {
      const [on, off] = CODES[style];
      return colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    },
  };
}
