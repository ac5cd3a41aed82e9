import { expect, test } from 'vitest';
import type { Output } from '../output.ts';
import { excerptOf } from './excerpt.ts';
import { countProblems, problemLines } from './problems.ts';
import { widthOf } from './width.ts';

const output: Output = {
  result: () => undefined,
  say: () => undefined,
  raw: () => undefined,
  style: (_, text) => text,
  live: false,
  columns: 60,
};

const show = (text: string, problem: { line: number; column: number; message?: string }) =>
  problemLines(
    [{ code: 'c', severity: 'error', message: 'wrong', file: 'f.yml', ...problem }],
    output,
    () => text,
  );

test('a problem is its place, its sentence and the source line with a caret', () => {
  expect(show('a:\n  scrip: x\n', { line: 2, column: 3 })).toEqual([
    'f.yml:2:3: error: wrong',
    '    2 |   scrip: x',
    '      |   ^',
  ]);
});

test('lines of Windows files show no carriage return', () => {
  expect(show('a: b\r\nc: d\r\n', { line: 1, column: 4 })[1]).toBe('    1 | a: b');
});

test.each([
  ['tabs', '\tx: y', 2, '    ^'],
  ['wide characters', '名前: x', 5, '      ^'],
  ['pictures of several code points', '👩‍🚀👍🏽: x', 11, '     ^'],
  ['combining marks', 'e\u0301e\u0301: x', 6, '   ^'],
  ['a place behind the end', 'ab', 9, '  ^'],
  ['a place in an empty line', '', 1, '^'],
])('the caret stands below its character behind %s', (_, line, column, caret) => {
  expect(excerptOf(line, column, 60).caret).toBe(caret);
});

test('a long line is cut around the place', () => {
  const line = `${'a'.repeat(500)}X${'b'.repeat(500)}`;
  const shown = excerptOf(line, 501, 60);
  expect(widthOf(shown.line)).toBeLessThanOrEqual(60);
  expect(shown.line).toMatch(/^…a+Xb+…$/);
  expect(shown.line[shown.caret.length - 1]).toBe('X');
  expect(excerptOf(line, 1, 60).line).toMatch(/^a+…$/);
  expect(excerptOf(line, 1001, 60).line).toMatch(/^…b+$/);
});

test('no control character reaches the terminal', () => {
  const lines = show('a: \u001b]0;title\u0007', { line: 1, column: 1, message: 'bad \u001b[2J\nname' });
  expect(
    lines
      .join('')
      .split('')
      .filter((character) => character < ' '),
  ).toEqual([]);
});

test('it tells how the file came in, and counts', () => {
  const problem = {
    code: 'c',
    severity: 'warning',
    message: 'm',
    file: 'b.yml',
    line: 1,
    column: 1,
    includedFrom: ['.gitlab-ci.yml', 'a.yml'],
    suggestion: 'script',
  } as const;
  expect(problemLines([problem], output)).toEqual([
    'b.yml:1:1: warning: m (did you mean script?)',
    '      = included by a.yml, which is included by .gitlab-ci.yml',
  ]);
  expect(countProblems([problem, { ...problem, severity: 'error' }, problem])).toBe('1 error, 2 warnings');
  expect(countProblems([])).toBe('');
});
