import type { Ecosystem } from '../inventory-types.ts';
import { compareApk } from '../../versions/apk.ts';
import { compareDpkg } from '../../versions/dpkg.ts';
import { comparePep440 } from '../../versions/pep440.ts';
import { compareSemver } from '../../versions/semver.ts';
import type { Advisory, RangeEvent } from './advisory.ts';

/** Order of two versions; undefined when one of them is none. */
export type Compare = (a: string, b: string) => number | undefined;

export const COMPARE: Readonly<Record<Ecosystem, Compare>> = {
  other: () => undefined,
  dpkg: compareDpkg,
  apk: compareApk,
  npm: compareSemver,
  pypi: comparePep440,
};

/** Is this version affected? With the fix that ends the range it lies in, when there is one. */
export interface Affected {
  readonly fixedIn: string | undefined;
}

/** undefined: the version is not affected. */
export function affectedBy(advisory: Advisory, version: string, compare: Compare): Affected | undefined {
  for (const range of advisory.ranges) {
    const hit = inRange(range, version, compare);
    if (hit !== undefined) return hit;
  }
  const isListed = advisory.versions.some((listed) => listed === version || compare(listed, version) === 0);
  return isListed ? { fixedIn: undefined } : undefined;
}

/** OSV's evaluation: the last event at or before the version decides. */
function inRange(range: readonly RangeEvent[], version: string, compare: Compare): Affected | undefined {
  const events = range.toSorted((a, b) => compareEvents(a, b, compare));
  const orders = events.map(({ version: at }) => (at === '0' ? 1 : compare(version, at)));
  if (orders.includes(undefined)) return undefined;
  const passed = events.filter((event, index) => hasPassed(event, orders[index] ?? 0));
  if (passed.at(-1)?.kind !== 'introduced') return undefined;
  const ahead = events.filter((event, index) => event.kind === 'fixed' && (orders[index] ?? 0) < 0);
  return { fixedIn: ahead[0]?.version };
}

/** Has a version with this order to the event got to it? The last affected version has not left the range yet. */
function hasPassed({ kind }: RangeEvent, order: number): boolean {
  return kind === 'last_affected' ? order > 0 : order >= 0;
}

/** `0` is before everything. At the same version a range opens before it closes. */
function compareEvents(a: RangeEvent, b: RangeEvent, compare: Compare): number {
  if (a.version === '0' || b.version === '0') return Number(b.version === '0') - Number(a.version === '0');
  return compare(a.version, b.version) ?? 0;
}
