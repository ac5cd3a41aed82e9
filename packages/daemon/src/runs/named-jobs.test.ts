import { expect, it } from 'vitest';
import { jobsNamed } from './named-jobs.ts';

const JOBS = [
  'lint',
  'test 1/2',
  'test 2/2',
  'test',
  'build: [a, b]',
  'build: [c\nd]',
  'build: x',
  'pack 1/1',
];

it.each([
  ['lint', ['lint']],
  ['test', ['test']],
  ['test 2/2', ['test 2/2']],
  ['build', ['build: [a, b]', 'build: [c\nd]']],
  ['pack', ['pack 1/1']],
  ['pac', []],
  ['', []],
])('%j stands for %j', (name, expected) => {
  expect(jobsNamed(JOBS, name)).toEqual(expected);
});
