import { expect, test } from 'vitest';
import fc from 'fast-check';
import { Masker } from './masking.ts';

const mask = (secrets: string[], chunks: string[]) => {
  const masker = new Masker(secrets);
  return chunks.map((chunk) => masker.push(chunk)).join('') + masker.end();
};

test('hides a secret wherever it stands', () => {
  expect(mask(['s3cr3t-value'], ['a s3cr3t-value b s3cr3t-value'])).toBe('a [MASKED] b [MASKED]');
});

test('hides each line of a secret with several lines', () => {
  expect(mask(['first-line\nsecond-line'], ['x second-line y'])).toBe('x [MASKED] y');
});

test('a log of many chunks is masked in time, whatever the secrets’ number and length', () => {
  const secrets = Array.from({ length: 200 }, (_, index) => `${index}-${'abcdefgh'.repeat(250)}`);
  const chunks = Array.from({ length: 2000 }, () => `${'0123456789 '.repeat(300)}\n`);
  const started = performance.now();
  expect(mask(secrets, chunks)).toBe(chunks.join(''));
  expect(performance.now() - started).toBeLessThan(4000);
});

test('leaves short values alone: they would tear the log apart', () => {
  expect(mask(['abc'], ['abcabc'])).toBe('abcabc');
});

test('however the text is cut, nothing of a secret comes out', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.array(fc.nat(40), { maxLength: 5 }), (before, after, cuts) => {
      const text = `${before}s3cr3t-value${after}`;
      const at = [...new Set([0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length])].toSorted(
        (a, b) => a - b,
      );
      const chunks = at.slice(1).map((end, index) => text.slice(at[index], end));
      expect(mask(['s3cr3t-value'], chunks)).toBe(mask(['s3cr3t-value'], [text]));
      expect(mask(['s3cr3t-value'], chunks)).not.toContain('s3cr3t-value');
    }),
  );
});
