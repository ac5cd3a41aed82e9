/** Strings are matched first, so that digits inside them are never taken for a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Cheap look: only texts with a long run of digits or an exponent can hold a number that a double changes. */
const SUSPECT = /[\d.]{16}|\d[eE]/;

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
  if (!SUSPECT.test(json)) return true;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token[0] !== '"' && !survives(token)) return false;
  }
  return true;
}
