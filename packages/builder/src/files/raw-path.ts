import { isUtf8 } from 'node:buffer';
import { readdirSync, readlinkSync } from 'node:fs';

/**
 * Names of files are bytes. As text, each byte that is no UTF-8 stands as a lone surrogate (0xdc00 + byte), which no name
 * has otherwise; what is handed to the system goes through `raw`.
 */
const ESCAPE = 0xdc00;
const LONE = /[\uDC80-\uDCFF]/u;

export function textOf(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  let text = '';
  for (let at = 0; at < name.length;) {
    const length = sequenceLength(name, at);
    text +=
      length === 0 ? String.fromCharCode(ESCAPE + (name[at] ?? 0)) : name.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** Bytes of the character that starts here; 0 when none does. */
function sequenceLength(name: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= name.length; length += 1) {
    if (isUtf8(name.subarray(at, at + length))) return length;
  }
  return 0;
}

/** The path as the system wants it. */
export function raw(path: string): string | Buffer {
  if (!LONE.test(path)) return path;
  const parts = Array.from(path, (character) => {
    const code = character.charCodeAt(0);
    const isByte = character.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
    return isByte ? Buffer.from([code - ESCAPE]) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/** What Node puts in the place of bytes that are no UTF-8. */
const REPLACED = '\ufffd';

export function namesOf(folder: string): string[] {
  const names = readdirSync(raw(folder));
  return names.some((name) => name.includes(REPLACED))
    ? readdirSync(raw(folder), 'buffer').map(textOf)
    : names;
}

export const linkOf = (file: string): string => textOf(readlinkSync(raw(file), 'buffer'));
