import { compareNumbers } from './dpkg.ts';

const APK = /^(\d+(?:\.\d+)*)([a-z])?((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d*))?$/;
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const NO_SUFFIX = SUFFIXES.indexOf('');

/** Order of Alpine package versions. undefined when one of them is no version. */
export function compareApk(a: string, b: string): number | undefined {
  const left = APK.exec(a);
  const right = APK.exec(b);
  if (left === null || right === null) return undefined;
  for (const [index, compare] of PARTS.entries()) {
    const difference = compare(left[index + 1] ?? '', right[index + 1] ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How the groups of `APK` are compared. */
const PARTS = [compareDotted, compareText, compareSuffixes, compareNumbers];

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The first number as a number; a later one that starts with 0 (in either version) as a decimal fraction, as text. */
function compareDotted(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = comparePart(left[at], right[at], at);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined, at: number): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const isFraction = at > 0 && (a.startsWith('0') || b.startsWith('0'));
  return isFraction ? compareText(a, b) : compareNumbers(a, b);
}

function compareSuffixes(a: string, b: string): number {
  const left = suffixes(a);
  const right = suffixes(b);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [leftRank, leftNumber] = left[at] ?? [NO_SUFFIX, ''];
    const [rightRank, rightNumber] = right[at] ?? [NO_SUFFIX, ''];
    const difference = leftRank - rightRank || compareNumbers(leftNumber, rightNumber);
    if (difference !== 0) return difference;
  }
  return 0;
}

function suffixes(text: string): readonly (readonly [number, string])[] {
  return [...text.matchAll(/_([a-z]+)(\d*)/g)].map(([, name = '', number = '']) => [
    SUFFIXES.indexOf(name),
    number,
  ]);
}
