import { randomInt } from 'node:crypto';

/** Without vowels and look-alikes, so that no word and no misreading comes out. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_BASE = 58;

/** `base-x7k2p`: the name of one of many dependents. */
export function generatedName(base: string): string {
  const suffix = Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${base.slice(0, MAX_BASE)}${suffix}`;
}

/** JSON with sorted keys and without absent members: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** FNV-1a over the text, written in letters that are safe in names and labels. */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return Array.from(String(hash), (digit) => ALPHABET[(digit.codePointAt(0) ?? 0) % ALPHABET.length]).join(
    '',
  );
}
