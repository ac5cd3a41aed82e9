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
  go: compareSemver,
};

/** Is this version affected? With the fix that ends the range it lies in, when there is one. */
export interface Affected {
  readonly fixedIn: string | undefined;
}

/** undefined: the version is not affected. */
export function affectedBy(advisory: Advisory, version: string, ecosystem: Ecosystem): Affected | undefined {
  const compare = COMPARE[ecosystem];
  for (const range of advisory.ranges) {
    if (ecosystem === 'npm' && !mayHoldPrerelease(range, version)) continue;
    const hit = inRange(range, version, compare);
    if (hit !== undefined) return hit;
  }
  const isListed = advisory.versions.some((listed) => listed === version || compare(listed, version) === 0);
  return isListed ? { fixedIn: undefined } : undefined;
}

/**
 * npm's own rule, which the original follows: a pre-release lies only in a range that names a pre-release of the very same
 * version, or one without an end.
 */
function mayHoldPrerelease(range: readonly RangeEvent[], version: string): boolean {
  const base = prereleaseOf(version);
  if (base === undefined || range.every(({ kind }) => kind === 'introduced')) return true;
  return range.some((event) => prereleaseOf(event.version) === base);
}

/** `1.2.3` of `1.2.3-rc.1`, undefined for a release. */
function prereleaseOf(version: string): string | undefined {
  return /^[v=\s]*(\d+\.\d+\.\d+)-[0-9A-Za-z]/.exec(version)?.[1];
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
