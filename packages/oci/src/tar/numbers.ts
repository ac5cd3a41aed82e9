import { invalidLayer } from './entry.ts';

/** A number field of a header: octal text, or big-endian binary when the first bit is set (GNU's extension). */
export function readNumber(header: Buffer, start: number, length: number): number {
  const first = header[start] ?? 0;
  if (first & 0x80) return readBinary(header, start, length);
  const text = header
    .toString('latin1', start, start + length)
    .replace(/\0.*$/s, '')
    .trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw invalidLayer('a tar header holds a number that is not octal');
  return Number.parseInt(text, 8);
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
