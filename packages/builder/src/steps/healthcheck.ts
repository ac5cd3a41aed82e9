import type { HealthcheckInstruction } from '@updraft/dockerfile';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';

type Healthcheck = NonNullable<Draft['config']['Healthcheck']>;

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Shorter checks than this the specification does not have; 0 means the default. */
const SHORTEST_NS = 1e6;

export function healthcheckOf(instruction: HealthcheckInstruction): Healthcheck {
  const { command } = instruction;
  if (!command) return { Test: ['NONE'] };
  const times = {
    Interval: duration(instruction, 'interval'),
    Timeout: duration(instruction, 'timeout'),
    StartPeriod: duration(instruction, 'start-period'),
    StartInterval: duration(instruction, 'start-interval'),
    Retries: retriesOf(instruction),
  };
  const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0));
  const test =
    command.form === 'exec' ? ['CMD', ...command.words.map(({ text }) => text)] : ['CMD-SHELL', command.text];
  if (test.length === 1) throw new BuildFailure('HEALTHCHECK CMD needs a command', instruction.textRange);
  return { Test: test, ...given };
}

function duration({ flags }: HealthcheckInstruction, name: string): number {
  const flag = flags.find((other) => other.name === name);
  if (!flag?.value) return 0;
  const value = nanoseconds(flag.value);
  if (value === undefined) throw new BuildFailure(`--${name}=${flag.value} is no duration`, flag.range);
  if (value !== 0 && value < SHORTEST_NS)
    throw new BuildFailure(`--${name}=${flag.value} is shorter than 1ms`, flag.range);
  return value;
}

function retriesOf({ flags }: HealthcheckInstruction): number {
  const flag = flags.find(({ name }) => name === 'retries');
  if (!flag?.value) return 0;
  if (!/^\+?\d{1,9}$/.test(flag.value)) throw new BuildFailure('--retries needs a number', flag.range);
  return Number(flag.value);
}

/** A duration as Go writes them (`1m30s`), in nanoseconds. */
function nanoseconds(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!/^\+?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/([\d.]+)([a-zµ]+)/g)].reduce(
    (sum, [, number, unit]) => sum + Math.floor(Number(number) * (UNITS[unit ?? ''] ?? 0)),
    0,
  );
}
