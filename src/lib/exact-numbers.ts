/** Strings are matched first, so that digits inside them are never taken for a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

const LONG_RUN = /[\d.]{16}/;
const EXPONENT = /\d[eE]/;

/** A run of 16 covers an index that 16 divides: only those need a look. */
function hasLongRun(json: string): boolean {
  for (let at = 0; at < json.length; at += 16) {
    const code = json.charCodeAt(at);
    const mayBePart = code >= 0x2e && code <= 0x39;
    if (mayBePart && LONG_RUN.test(json.slice(Math.max(0, at - 15), at + 16))) return true;
  }
  return false;
}

/** `120`, `1.20e2` and `0.12E+3` are one number: its digits without zeros at either end, and the power of ten. */
function canonical(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (match === null) return literal;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

function survives(literal: string): boolean {
  const value = Number(literal);
  // Exponents of thousands of digits would make BigInt slow; no double has them.
  if (!Number.isFinite(value) || literal.length > 400) return false;
  return canonical(String(value)) === canonical(literal);
}

/** Is every number of this JSON text kept exactly by JavaScript? `1e400` and 2^53 + 1 are not. */
export function numbersAreExact(json: string): boolean {
  // Cheap looks: only a long run of digits or an exponent can be a number that a double changes.
  if (!hasLongRun(json) && !EXPONENT.test(json)) return true;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token[0] !== '"' && !survives(token)) return false;
  }
  return true;
}
