import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileMatcher, includeMatcher } from './globs.ts';

describe('fileMatcher', () => {
  it.each([
    ['*.md', 'README.md', true],
    ['*.md', 'docs/a.md', false],
    ['**/*.md', 'README.md', true],
    ['**/*.md', 'docs/deep/.a.md', true],
    ['docs/**', 'docs/a', true],
    ['docs/**', 'docs/deep/a', false],
    ['docs/**/*', 'docs/deep/a', true],
    ['src/*.{ts,js}', 'src/a.js', true],
    ['src/*.{ts,js}', 'src/a.rs', false],
    ['[a-c]?.txt', 'b1.txt', true],
    ['[!a-c]?.txt', 'b1.txt', false],
    [String.raw`a\*b`, 'a*b', true],
    [String.raw`a\*b`, 'axb', false],
    ['/Dockerfile', 'Dockerfile', false],
    ['./Dockerfile', 'Dockerfile', false],
    ['*', '.env', true],
  ])('%s and %s: %s', (pattern, path, expected) => expect(fileMatcher(pattern)(path)).toBe(expected));
});

it('quick patterns match what slow ones do', () => {
  const piece = fc.constantFrom('a', 'b', '.', '*', '**', '/', '/', '**/', '+', '(');
  const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => `a${pieces.join('')}`);
  const path = fc.array(fc.constantFrom('a', 'b', '.', '/', '+', '('), { maxLength: 12 });
  fc.assert(
    fc.property(pattern, path, (quick, rest) => {
      // A set in it leads to the other way of matching.
      const slow = quick.replaceAll('a', '[a]');
      const text = `a${rest.join('')}`;
      expect({ quick, text, fits: fileMatcher(quick)(text) }).toEqual({
        quick,
        text,
        fits: fileMatcher(slow)(text),
      });
    }),
    { numRuns: 3000 },
  );
});

describe('includeMatcher', () => {
  it.each([
    ['ci/*.yml', 'ci/a.yml', true],
    ['ci/*.yml', 'ci/deep/a.yml', false],
    ['ci/**.yml', 'ci/deep/er/a.yml', true],
    ['ci/**/*.yml', 'ci/a.yml', false],
    ['ci/**/*.yml', 'ci/deep/er/a.yml', true],
  ])('%s and %s: %s', (pattern, path, expected) => expect(includeMatcher(pattern)(path)).toBe(expected));
});
