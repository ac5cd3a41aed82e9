import { createHash } from 'node:crypto';

/** What a key is made of; nested lists keep their bounds. */
export type KeyPart = string | number | boolean | undefined | readonly KeyPart[];

/** sha256 over parts framed by their lengths: no two different lists give the same bytes. */
export function keyOf(...parts: readonly KeyPart[]): string {
  const hash = createHash('sha256');
  const add = (part: KeyPart): void => {
    if (Array.isArray(part)) {
      hash.update(`[${part.length}:`);
      for (const inner of part as readonly KeyPart[]) add(inner);
      return;
    }
    const text = part === undefined ? '' : String(part);
    hash.update(`${(typeof part)[0]}${Buffer.byteLength(text)}:`).update(text);
  };
  for (const part of parts) add(part);
  return hash.digest('hex');
}
