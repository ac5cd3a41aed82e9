import { Cron } from 'croner';

/** The moments at which a CronJob is due, in whole seconds. */
export interface Schedule {
  /** The first moment after `ms`; undefined when there is none, as for a 31 February. */
  nextAfter(ms: number): number | undefined;
  /** The last moment that is not after `ms`. */
  lastUntil(ms: number): number | undefined;
}

/** Why a text is no schedule, in words for the user. */
export type ScheduleProblem = { readonly problem: string };

interface Field {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', lowest: 0, highest: 59, names: [] },
  { name: 'hour', lowest: 0, highest: 23, names: [] },
  { name: 'day of month', lowest: 1, highest: 31, names: [] },
  { name: 'month', lowest: 1, highest: 12, names: MONTHS },
  { name: 'day of week', lowest: 0, highest: 6, names: DAYS },
];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

export function isTimeZone(name: string): boolean {
  // Kubernetes refuses the machine's own zone: it would be another on each machine.
  if (name === '' || name.toLowerCase() === 'local') return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Reads five fields, an `@macro` or `@every 90m`, by the grammar of Kubernetes' own parser. */
export function parseSchedule(text: string, timeZone = 'Etc/UTC'): Schedule | ScheduleProblem {
  const trimmed = text.trim();
  if (/^(CRON_)?TZ=/.test(trimmed)) {
    return { problem: 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead' };
  }
  if (trimmed.startsWith('@every ')) return everySchedule(trimmed.slice('@every '.length));
  const plain = trimmed.startsWith('@') ? MACROS[trimmed] : trimmed;
  if (plain === undefined) return { problem: `unrecognized descriptor: ${trimmed}` };
  const words = plain.split(/\s+/).filter((word) => word !== '');
  if (words.length !== FIELDS.length) {
    return { problem: `expected exactly 5 fields, found ${words.length}: [${words.join(' ')}]` };
  }
  const problems: string[] = [];
  const fields = FIELDS.map((field, index) => readField(words[index] ?? '', field, problems));
  const [problem] = problems;
  return problem === undefined ? cronSchedule(fields.join(' '), timeZone) : { problem };
}

function cronSchedule(pattern: string, timezone: string): Schedule {
  const cron = new Cron(pattern, { timezone, mode: '5-part', paused: true });
  return {
    nextAfter: (ms) => cron.nextRun(new Date(ms))?.getTime(),
    // The library's bound is exclusive and counts whole seconds.
    lastUntil: (ms) =>
      cron
        .previousRuns(1, new Date(ms + 1000))
        .at(0)
        ?.getTime(),
  };
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** An interval has no fixed moments: they count from the epoch, so that a restart does not move them. */
function everySchedule(text: string): Schedule | ScheduleProblem {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  const whole = parts.map(([part]) => part).join('');
  if (whole === '' || whole !== text.trim()) return { problem: `failed to parse duration @every ${text}` };
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
  const stepMs = Math.max(1000, Math.floor(total / 1000) * 1000);
  const lastUntil = (ms: number) => Math.floor(ms / stepMs) * stepMs;
  return { nextAfter: (ms) => lastUntil(ms) + stepMs, lastUntil };
}

/** The field as the library takes it: numbers for names, `5/15` as `5-59/15`, `?` as `*`. */
function readField(word: string, field: Field, problems: string[]): string {
  const parts = word.split(',').map((part) => readPart(part.toLowerCase(), field, problems));
  return parts.join(',');
}

const PART = /^([*?]|\w+(?:-\w+)?)(?:\/([1-9]\d{0,3}))?$/;

function readPart(part: string, field: Field, problems: string[]): string {
  const [, range = '', step = ''] = PART.exec(part) ?? [];
  const suffix = step === '' || step === '1' ? '' : `/${step}`;
  if (range === '*' || range === '?') return `*${suffix}`;
  const bounds = boundsOf(range, step !== '', field);
  const problem = bounds
    ? wrongBounds(bounds, range, field)
    : `failed to parse ${field.name} field: "${part}"`;
  if (problem !== undefined) problems.push(problem);
  const [from, end] = bounds ?? [0, 0];
  return from === end ? String(from) : `${from}-${end}${suffix}`;
}

function boundsOf(range: string, stepped: boolean, field: Field): [number, number] | undefined {
  const [from, to, ...more] = range.split('-').map((value) => numberOf(value, field));
  const end = range.includes('-') ? to : stepped ? field.highest : from;
  return more.length === 0 && from !== undefined && end !== undefined ? [from, end] : undefined;
}

function wrongBounds([from, end]: [number, number], range: string, field: Field): string | undefined {
  if (from < field.lowest || end > field.highest) {
    return `${field.name} ${range} is outside of ${field.lowest} to ${field.highest}`;
  }
  return from > end ? `beginning of range (${from}) beyond end of range (${end}): ${range}` : undefined;
}

function numberOf(value: string, { names, lowest }: Field): number | undefined {
  const named = names.indexOf(value);
  if (named >= 0) return named + lowest;
  return /^\d{1,4}$/.test(value) ? Number(value) : undefined;
}
