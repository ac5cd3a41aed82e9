import { expect, test } from 'vitest';
import { duration, padded, table } from './table.ts';
import { clean } from './run.ts';

const green = (text: string) => `\u001b[32m${text}\u001b[39m`;

test('columns line up, with and without colours', () => {
  expect(
    table([
      ['a', 'b'],
      ['long', 'c'],
      ['', 'd'],
    ]),
  ).toBe('a      b\nlong   c\n       d');
  expect(
    table([
      [green('a'), 'b'],
      ['long', 'c'],
    ]),
  ).toBe(`${green('a')}      b\nlong   c`);
  expect(padded(green('ok'), 5)).toBe(`${green('ok')}   `);
});

test('durations read as a person says them', () => {
  expect([0, 999, 1000, 59_940, 65_000, undefined].map(duration)).toEqual([
    '0 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 05 s',
    '',
  ]);
});

test('a job’s text cannot move the cursor, retitle the window or ring', () => {
  expect(clean('a\u001b[2J\u001b[1;1Hb\u001b]0;title\u0007c\u0007\rd\te\n')).toBe('abcd\te\n');
});
