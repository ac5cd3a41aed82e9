const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * A time as Kubernetes' own types write it, in UTC: to the second, or with six digits behind it. undefined: it is none.
 * Clients compiled for these forms read no other.
 */
export function canonicalTime(text: string, precision: 'seconds' | 'micros'): string | undefined {
  const match = FORM.exec(text);
  const ms = match ? Date.parse(text) : Number.NaN;
  if (!match || Number.isNaN(ms)) return undefined;
  const seconds = new Date(ms).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return precision === 'seconds'
    ? `${seconds}Z`
    : `${seconds}.${(match[2] ?? '').padEnd(6, '0').slice(0, 6)}Z`;
}
