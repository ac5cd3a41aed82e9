import { invalidLayer } from './entry.ts';

const BLANK = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** A number field of a header: octal text, or big-endian binary when the first bit is set (GNU's extension). */
export function readNumber(header: Buffer, start: number, length: number): number {
  const first = header[start] ?? 0;
  if (first & 0x80) return readBinary(header, start, length);
  let value = 0;
  let digits = 0;
  for (let index = start; index < start + length; index += 1) {
    const byte = header[index] ?? 0;
    // NUL ends the number wherever it stands; blanks pad it on either side.
    if (byte === 0 || (byte === BLANK && digits > 0)) break;
    if (byte === BLANK) continue;
    if (byte < ZERO || byte > SEVEN) throw invalidLayer('a tar header holds a number that is not octal');
    value = value * 8 + (byte - ZERO);
    digits += 1;
  }
  return value;
}

function readBinary(header: Buffer, start: number, length: number): number {
  const negative = header[start] === 0xff;
  let value = negative ? 0n : BigInt((header[start] ?? 0) & 0x7f);
  if (negative) value = -1n;
  for (let index = start + 1; index < start + length; index += 1)
    value = value * 256n + BigInt(header[index] ?? 0);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidLayer('a tar header holds a number that is too large');
  return number;
}

/** Writes an octal field with its closing NUL; false when the number does not fit. */
export function writeNumber(header: Buffer, value: number, start: number, length: number): boolean {
  if (!Number.isInteger(value) || value < 0) return false;
  const text = value.toString(8);
  if (text.length > length - 1) return false;
  header.write(text.padStart(length - 1, '0'), start, 'latin1');
  return true;
}

export function checksumOf(header: Buffer): number {
  let sum = 8 * 32;
  for (let index = 0; index < 148; index += 1) sum += header[index] ?? 0;
  for (let index = 156; index < 512; index += 1) sum += header[index] ?? 0;
  return sum;
}
