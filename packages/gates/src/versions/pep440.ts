import { compareNumbers } from './dpkg.ts';

const PEP440 = new RegExp(
  [
    String.raw`^\s*v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)`,
    String.raw`(?:[-_.]?(?<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?<preN>\d*))?`,
    String.raw`(?:-(?<postDash>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postN>\d*))?`,
    String.raw`(?:[-_.]?(?<dev>dev)[-_.]?(?<devN>\d*))?`,
    String.raw`(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$`,
  ].join(''),
  'i',
);

interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  /** Rank and number of what comes before or instead of the release. */
  readonly pre: readonly [number, string];
  /** undefined sorts first. */
  readonly post: string | undefined;
  /** undefined sorts last. */
  readonly dev: string | undefined;
  readonly local: readonly string[] | undefined;
}

/** Order of Python versions (PEP 440). undefined when one of them is no version. */
export function comparePep440(a: string, b: string): number | undefined {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return undefined;
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareRelease(left.release, right.release) ||
    left.pre[0] - right.pre[0] ||
    compareNumbers(left.pre[1], right.pre[1]) ||
    compareOptional(left.post, right.post, -1) ||
    compareOptional(left.dev, right.dev, 1) ||
    compareLocal(left.local, right.local)
  );
}

const PRE_RANK: Readonly<Record<string, number>> = {
  a: 1,
  alpha: 1,
  b: 2,
  beta: 2,
  c: 3,
  rc: 3,
  pre: 3,
  preview: 3,
};
const DEV_ONLY = 0;
const FINAL = 4;

function parse(text: string): PythonVersion | undefined {
  const groups = PEP440.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const post = groups['postDash'] ?? numberOf(groups['post'], groups['postN']);
  const dev = numberOf(groups['dev'], groups['devN']);
  return {
    epoch: groups['epoch'] ?? '0',
    release: (groups['release'] ?? '').split('.'),
    pre: [preRank(groups['pre'], post !== undefined, dev !== undefined), groups['preN'] ?? ''],
    post,
    dev,
    local: groups['local']?.toLowerCase().split(/[-_.]/),
  };
}

/** The number behind a word that is there; the empty one counts as 0. */
function numberOf(word: string | undefined, digits: string | undefined): string | undefined {
  return word === undefined ? undefined : (digits ?? '');
}

/** `1.0.dev1` comes before `1.0a1`; `1.0.post1.dev1` after `1.0`. */
function preRank(pre: string | undefined, hasPost: boolean, hasDev: boolean): number {
  if (pre !== undefined) return PRE_RANK[pre.toLowerCase()] ?? FINAL;
  return hasDev && !hasPost ? DEV_ONLY : FINAL;
}

function compareRelease(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = compareNumbers(a[at] ?? '0', b[at] ?? '0');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `absent` says where a missing one goes: -1 first, 1 last. */
function compareOptional(a: string | undefined, b: string | undefined, absent: 1 | -1): number {
  if (a !== undefined && b !== undefined) return compareNumbers(a, b);
  if (a === b) return 0;
  return a === undefined ? absent : -absent;
}

function compareLocal(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = compareLocalPart(a[at], b[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers after text, and a longer local version after its beginning. */
function compareLocalPart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const isNumber = [a, b].map((part) => /^\d+$/.test(part));
  if (isNumber[0] && isNumber[1]) return compareNumbers(a, b);
  if (isNumber[0] !== isNumber[1]) return isNumber[0] ? 1 : -1;
  return a < b ? -1 : Number(a > b);
}
