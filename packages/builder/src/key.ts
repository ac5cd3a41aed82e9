import { createHash } from 'node:crypto';

/** What a key is made of; nested lists keep their bounds. */
export type KeyPart = string | number | boolean | undefined | readonly KeyPart[];

/** sha256 over parts framed by their lengths: no two different lists give the same text, and no two texts the same bytes. */
export function keyOf(...parts: readonly KeyPart[]): string {
  // Names that are no text have lone surrogates, which UTF-8 would make all the same.
  return createHash('sha256').update(framed(parts), 'utf16le').digest('hex');
}

function framed(parts: readonly KeyPart[]): string {
  let text = `[${parts.length}:`;
  for (const part of parts) {
    if (typeof part === 'string') text += `s${part.length}:${part}`;
    else if (typeof part === 'object') text += framed(part);
    else {
      const word = part === undefined ? '' : String(part);
      text += `${(typeof part)[0]}${word.length}:${word}`;
    }
  }
  return text;
}
