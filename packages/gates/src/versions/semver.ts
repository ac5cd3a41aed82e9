import { compareNumbers } from './dpkg.ts';

const SEMVER = /^[v=\s]*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\s*$/;

/** Order of semantic versions; missing numbers count as 0. undefined when one of them is no version. */
export function compareSemver(a: string, b: string): number | undefined {
  const left = SEMVER.exec(a);
  const right = SEMVER.exec(b);
  if (left === null || right === null) return undefined;
  for (const part of [1, 2, 3]) {
    const difference = compareNumbers(left[part] ?? '0', right[part] ?? '0');
    if (difference !== 0) return difference;
  }
  return comparePrerelease(left[4], right[4]);
}

/** A pre-release comes before its release; parts are compared as numbers or as text, numbers first. */
function comparePrerelease(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const left = a.split('.');
  const right = b.split('.');
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = compareIdentifier(left[at], right[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(b === undefined) - Number(a === undefined);
  const isNumber = [a, b].map((part) => /^\d+$/.test(part));
  if (isNumber[0] && isNumber[1]) return compareNumbers(a, b);
  if (isNumber[0] !== isNumber[1]) return isNumber[0] ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
