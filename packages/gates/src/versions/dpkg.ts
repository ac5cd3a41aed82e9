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

/** By turns: a run of non-digits by the odd order below, a run of digits as a number. Scans of images come here a million times. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [iText, jText] = [textEnd(a, i), textEnd(b, j)];
    const [iDigits, jDigits] = [digitsEnd(a, iText), digitsEnd(b, jText)];
    const difference =
      compareText(a.slice(i, iText), b.slice(j, jText)) ||
      compareNumbers(a.slice(iText, iDigits), b.slice(jText, jDigits));
    if (difference !== 0) return difference;
    i = iDigits;
    j = jDigits;
  }
  return 0;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function textEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isDigit(text, at)) at += 1;
  return at;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text, at)) at += 1;
  return at;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = rank(a, at) - rank(b, at);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `~` before the end, the end before letters, letters before the rest. */
function rank(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  if (code === 126) return -1;
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return isLetter ? code : code + 65_536;
}

/** Digits of any length as numbers; the empty run is 0. */
export function compareNumbers(a: string, b: string): number {
  const left = a.startsWith('0') ? a.replace(/^0+/, '') : a;
  const right = b.startsWith('0') ? b.replace(/^0+/, '') : b;
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : Number(left > right);
}
