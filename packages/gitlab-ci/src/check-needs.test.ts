import { describe, expect, it } from 'vitest';
import { createPipeline } from './index.ts';
import { FACTS } from './testing/commit.ts';

function problemsOf(text: string): readonly string[] {
  const files = { read: () => text, list: () => ['.gitlab-ci.yml'] };
  return createPipeline({ facts: FACTS, files }).problems.map(({ message }) => message);
}

describe('dependencies beside needs', () => {
  const withNeeds = (needs: string): string => `
one: { stage: build, script: echo }
two: { stage: build, script: echo }
last: { stage: test, needs: ${needs}, dependencies: [one], script: echo }
`;

  it('must be among the needs', () => {
    expect(problemsOf(withNeeds('[two]'))).toEqual([
      'job last: dependencies names one, which is not among its needs',
    ]);
  });

  it('may be anything where nothing is needed, as in GitLab', () => {
    expect(problemsOf(withNeeds('[]'))).toEqual([]);
  });
});

describe('lists in lists', () => {
  const nested = (levels: number): string =>
    `job: { script: ${'['.repeat(levels)} echo ${']'.repeat(levels)} }\n`;

  it('may be ten levels deep', () => {
    expect(problemsOf(nested(10))).toEqual([]);
    expect(problemsOf(nested(11))).toEqual([expect.stringContaining('deeper than 10 levels')]);
  });
});
