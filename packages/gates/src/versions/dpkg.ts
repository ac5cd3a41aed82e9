/**
 * Order of Debian package versions (Debian Policy 5.6.12): epoch, upstream version, revision. Negative when `a` is
 * older. Any text has an order; nothing is rejected.
 */
export function compareDpkg(a: string, b: string): number {
  const left = split(a);
  const right = split(b);
  return (
    compareNumbers(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const text = version.trim();
  const colon = text.indexOf(':');
  const epoch = colon > 0 ? text.slice(0, colon) : '0';
  const rest = colon < 0 ? text : text.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  if (dash < 0) return { epoch, upstream: rest, revision: '0' };
  return { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** By turns: a run of non-digits by the odd order below, a run of digits as a number. */
function comparePart(a: string, b: string): number {
  const left = runs(a);
  const right = runs(b);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [leftText, leftDigits] = left[at] ?? NO_RUN;
    const [rightText, rightDigits] = right[at] ?? NO_RUN;
    const difference = compareText(leftText, rightText) || compareNumbers(leftDigits, rightDigits);
    if (difference !== 0) return difference;
  }
  return 0;
}

const NO_RUN: readonly [string, string] = ['', ''];

function runs(part: string): readonly (readonly [string, string])[] {
  return [...part.matchAll(/(\D*)(\d*)/g)].map(([, text = '', digits = '']) => [text, digits]);
}

function compareText(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = rank(a[at]) - rank(b[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `~` before the end, the end before letters, letters before the rest. */
function rank(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 65_536;
}

/** Digits of any length as numbers; the empty run is 0. */
export function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : Number(left > right);
}
