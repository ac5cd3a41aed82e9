import { messageOf } from './fault.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log lines: a message and its facts. Never given secrets. */
export interface Logger {
  log(level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** The same logger with facts added to every line. */
  with(facts: Readonly<Record<string, unknown>>): Logger;
}

/** One JSON object a line, through `write`. */
export function jsonLogger(
  write: (line: string) => void,
  options: { clock?: Clock; facts?: Readonly<Record<string, unknown>> } = {},
): Logger {
  const clock = options.clock ?? systemClock;
  const base = options.facts ?? {};
  return {
    log(level, message, facts = {}) {
      const line = { time: new Date(clock.now()).toISOString(), level, message, ...base, ...facts };
      write(`${JSON.stringify(line, errorsAsMessages)}\n`);
    },
    with: (facts) => jsonLogger(write, { clock, facts: { ...base, ...facts } }),
  };
}

export const silentLogger: Logger = { log: () => undefined, with: () => silentLogger };

function errorsAsMessages(_key: string, value: unknown): unknown {
  return value instanceof Error ? messageOf(value) : value;
}
