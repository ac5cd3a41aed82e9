const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A time span as kubectl shows ages: `45s`, `3m20s`, `5h`, `12d`, `2y40d`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return pair(seconds, [MINUTE, 'm'], [1, 's']);
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return pair(seconds, [HOUR, 'h'], [MINUTE, 'm']);
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return pair(seconds, [DAY, 'd'], [HOUR, 'h']);
  if (seconds < 2 * YEAR) return `${Math.floor(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return pair(seconds, [YEAR, 'y'], [DAY, 'd']);
  return `${Math.floor(seconds / YEAR)}y`;
}

function pair(seconds: number, large: readonly [number, string], small: readonly [number, string]): string {
  const rest = Math.floor((seconds % large[0]) / small[0]);
  return `${Math.floor(seconds / large[0])}${large[1]}${rest === 0 ? '' : `${rest}${small[1]}`}`;
}

/** The time since then; `<unknown>` when there is no time. */
export function age(time: unknown, nowMs: number): string {
  if (typeof time !== 'string' || time === '') return '<unknown>';
  return duration(nowMs - Date.parse(time));
}

export const NONE = '<none>';

export function listOr(values: readonly string[], empty = NONE): string {
  return values.length === 0 ? empty : values.join(',');
}

/** `a=b,c=d`, or `<none>`. */
export function labelText(labels: Readonly<Record<string, unknown>>): string {
  return listOr(
    Object.entries(labels)
      .map(([key, value]) => `${key}=${String(value)}`)
      .toSorted(),
  );
}

/** A LabelSelector, or the plain map of a ReplicationController, as kubectl shows it: `app=web,tier in (a,b)`. */
export function selectorText(selector: unknown): string {
  return listOr(requirementsOf(selector));
}

/** The parts of a selector, by their keys. */
export function requirementsOf(selector: unknown): string[] {
  const given = (selector ?? {}) as Readonly<Record<string, unknown>>;
  const isPlain = Object.values(given).some((value) => typeof value === 'string');
  const { matchLabels = {}, matchExpressions = [] } = (isPlain ? { matchLabels: given } : given) as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  const equal = Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return { key, text: key };
    if (operator === 'DoesNotExist') return { key, text: `!${key}` };
    return { key, text: `${key} ${operator.toLowerCase()} (${values.toSorted().join(',')})` };
  });
  return [...equal, ...others].toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ text }) => text);
}
