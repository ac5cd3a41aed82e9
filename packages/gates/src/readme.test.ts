import { expect, it } from 'vitest';
import { RULES, lintDockerfile } from './index.ts';

it('the README’s example holds', () => {
  expect(lintDockerfile('FROM debian\nUSER root\n').map(({ code, line }) => `${line} ${code}`)).toEqual([
    '1 DL3006',
    '2 DL3002',
  ]);
});

it('every rule has a code of its own and says what is wrong', () => {
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  expect(RULES.length).toBe(65);
  for (const { title } of RULES) expect(title).toMatch(/\.$/);
});
