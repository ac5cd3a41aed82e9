import { randomInt } from 'node:crypto';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const LONGEST_PREFIX = 58;

/** A name from `generateName`: the prefix and five letters that form no words. */
export function generatedName(prefix: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${prefix.slice(0, LONGEST_PREFIX)}${suffix}`;
}
