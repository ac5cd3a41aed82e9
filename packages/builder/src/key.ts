import { createHash } from 'node:crypto';

/** What a key is made of; nested lists keep their bounds. */
export type KeyPart = string | number | boolean | undefined | readonly KeyPart[];

/** sha256 over parts framed by their lengths: no two different lists give the same text. */
export function keyOf(...parts: readonly KeyPart[]): string {
  const pieces: string[] = [];
  frame(parts, pieces);
  return createHash('sha256').update(pieces.join('')).digest('hex');
}

function frame(parts: readonly KeyPart[], pieces: string[]): void {
  pieces.push(`[${parts.length}:`);
  for (const part of parts) {
    if (typeof part === 'object') frame(part, pieces);
    else {
      const text = part === undefined ? '' : String(part);
      pieces.push(`${(typeof part)[0]}${text.length}:`, text);
    }
  }
}
