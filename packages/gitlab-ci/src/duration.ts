const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_557_600,
};

const UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  sec: 'second',
  secs: 'second',
  second: 'second',
  seconds: 'second',
  m: 'minute',
  min: 'minute',
  mins: 'minute',
  minute: 'minute',
  minutes: 'minute',
  h: 'hour',
  hr: 'hour',
  hrs: 'hour',
  hour: 'hour',
  hours: 'hour',
  d: 'day',
  dy: 'day',
  day: 'day',
  days: 'day',
  w: 'week',
  wk: 'week',
  wks: 'week',
  week: 'week',
  weeks: 'week',
  mo: 'month',
  mon: 'month',
  mos: 'month',
  mths: 'month',
  month: 'month',
  months: 'month',
  y: 'year',
  yr: 'year',
  yrs: 'year',
  year: 'year',
  years: 'year',
};

const PART = /\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*(?:,|\band\b)?\s*/y;

/**
 * Seconds of a duration in words (`1h 30m`, `2 weeks and 3 days`, `90`, `1:30:00`), or undefined when it is none.
 * A number alone is seconds.
 */
export function parseDuration(text: string): number | undefined {
  const words = text.trim().toLowerCase();
  if (/^\d+(?::\d{1,2}){1,2}$/.test(words)) {
    return words.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  }
  let total = 0;
  let at = 0;
  while (at < words.length) {
    PART.lastIndex = at;
    const part = PART.exec(words);
    const seconds = part ? secondsOf(part[1], part[2]) : undefined;
    if (!part || seconds === undefined) return undefined;
    total += seconds;
    at = PART.lastIndex;
  }
  return at === 0 ? undefined : Math.round(total);
}

function secondsOf(amount = '', unit = ''): number | undefined {
  const name = unit === '' ? 'second' : UNITS[unit];
  const each = name === undefined ? undefined : SECONDS[name];
  return each === undefined ? undefined : Number(amount) * each;
}
