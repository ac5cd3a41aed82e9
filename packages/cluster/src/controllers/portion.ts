import type { IntOrString } from '../kinds/meta.ts';

/** `3` as it is, `25%` of `total` by the given rounding; undefined: neither. */
export function portionOf(
  value: IntOrString | undefined,
  total: number,
  round: (value: number) => number,
): number | undefined {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value ?? '')?.[1];
  if (percent !== undefined) return round((Number(percent) * total) / 100);
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
