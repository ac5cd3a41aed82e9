import { expect, it } from 'vitest';
import { VECTORS } from './lint/rules/vectors.table.ts';
import { RULES, lintDockerfile } from './index.ts';

it('the README’s example holds', () => {
  expect(lintDockerfile('FROM debian\nUSER root\n').map(({ code, line }) => `${line} ${code}`)).toEqual([
    '1 DL3006',
    '2 DL3002',
  ]);
});

it('every rule has a code of its own, says what is wrong and has vectors that make it speak', () => {
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  for (const { code, title } of RULES) {
    expect(title).toMatch(/\.$/);
    expect(VECTORS.some((vectors) => vectors.code === code && vectors.bad.length > 0)).toBe(true);
  }
});
