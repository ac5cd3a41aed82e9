/** The value of a plain (unquoted) scalar as Ruby's Psych reads it, which is YAML 1.1 with habits of its own. */
export interface Scalar {
  readonly value: string | number | boolean | null;
  readonly text: string;
}

const TRUE = /^(?:yes|true|on)$/i;
const FALSE = /^(?:no|false|off)$/i;
const NULL = /^(?:~|null)?$/i;
/** Most values are longer than these words, and no date begins with a letter: not asked, they cost nothing. */
const LONGEST_WORD = 'false'.length;
const SHORTEST_DATE = '2026-1-1'.length;
const BEGINS_LIKE_DATE = /^-?\d{4}-/;
const OCTAL = /^[-+]?0[0-7_,]+$/;
const DECIMAL = /^[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)$/;
const HEXADECIMAL = /^[-+]?0[xX][0-9a-fA-F_,]+$/;
const BINARY = /^[-+]?0b[01_,]+$/;
const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}$/;
const SEXAGESIMAL_FLOAT = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}\.[0-9_]*$/;
const INFINITE = /^[-+]?\.inf$/i;
const DATE = /^\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)$/;
const TIME =
  /^-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?$/;

/** A date or a time without quotes, which GitLab's reader refuses. */
export const looksLikeDate = (source: string): boolean =>
  source.length >= SHORTEST_DATE && BEGINS_LIKE_DATE.test(source) && (DATE.test(source) || TIME.test(source));

export function readPlainScalar(source: string): Scalar {
  if (source.length <= LONGEST_WORD) {
    if (NULL.test(source)) return { value: null, text: '' };
    if (TRUE.test(source)) return { value: true, text: 'true' };
    if (FALSE.test(source)) return { value: false, text: 'false' };
  }
  // Anything else that means more than its letters begins like a number.
  if (!/^[-+.0-9]/.test(source)) return { value: source, text: source };
  return readInteger(source) ?? readFloat(source) ?? { value: source, text: source };
}

function readInteger(source: string): Scalar | undefined {
  const negative = source.startsWith('-');
  const digits = source.replace(/^[-+]/, '').replaceAll(/[_,]/g, '');
  if (DECIMAL.test(source)) return integer(BigInt(digits), negative);
  if (OCTAL.test(source)) return integer(BigInt(`0o${digits}`), negative);
  if (HEXADECIMAL.test(source) && digits.length > 2) return integer(BigInt(digits), negative);
  if (BINARY.test(source) && digits.length > 2) return integer(BigInt(digits), negative);
  if (SEXAGESIMAL.test(source)) return integer(base60(digits), negative);
  return undefined;
}

function base60(digits: string): bigint {
  return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
}

function integer(magnitude: bigint, negative: boolean): Scalar {
  const exact = negative ? -magnitude : magnitude;
  return { value: Number(exact), text: String(exact) };
}

function readFloat(source: string): Scalar | undefined {
  if (FLOAT.test(source) && /[0-9]/.test(source)) return float(Number(source.replaceAll(/[_,]/g, '')));
  if (SEXAGESIMAL_FLOAT.test(source)) {
    const parts = source.replace(/^[-+]/, '').replaceAll('_', '').split(':');
    const sum = parts.reduce((total, part) => total * 60 + Number(part), 0);
    return float(source.startsWith('-') ? -sum : sum);
  }
  if (INFINITE.test(source)) return float(source.startsWith('-') ? -Infinity : Infinity);
  if (/^\.nan$/i.test(source)) return float(Number.NaN);
  return undefined;
}

function float(value: number): Scalar {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return { value, text: `${value}.0` };
  return { value, text: String(value) };
}
