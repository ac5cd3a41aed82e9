import { expect, test } from 'vitest';
import { jobCoverage } from './coverage.ts';
import { serviceNames } from './services.ts';

test('coverage is the number in the last line that matches', () => {
  const log = 'Branches: 10.5%\nother\nBranches: 91.67% (22/24)\ndone';
  expect(jobCoverage(String.raw`Branches:\s+(\d+\.?\d*)%`, log)).toBe(91.67);
  expect(jobCoverage(String.raw`Branches: .*%`, log)).toBe(91.67);
  expect(jobCoverage('Lines: (.*)%', log)).toBeUndefined();
});

test('colours do not hide coverage, of several matches in a line the last counts, a foreign expression matches nothing', () => {
  expect(jobCoverage(String.raw`^Total (\d+)%`, '\u001B[32mTotal\u001B[0m 70%\n')).toBe(70);
  expect(jobCoverage(String.raw`(\d+)%`, 'a 1% b 2%')).toBe(2);
  expect(jobCoverage('(?=lookahead)', 'lookahead 5')).toBeUndefined();
});

test('a service answers to its aliases and to both spellings of its image', () => {
  const service = { name: 'registry.example:5000/group/postgres:15', aliases: ['db'], variables: {} };
  expect(serviceNames(service)).toEqual([
    'db',
    'registry.example__group__postgres',
    'registry.example-group-postgres',
  ]);
});
