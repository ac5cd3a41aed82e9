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

describe('needs of instances', () => {
  const selecting = (matrix: string): string => `
build: { stage: build, script: echo, parallel: { matrix: [{ ARCH: [arm, x86], OS: [linux, mac] }] } }
test: { stage: test, script: echo, needs: [{ job: build, parallel: { matrix: [${matrix}] } }] }
`;

  it('name every variable in the order of the matrix', () => {
    const none = 'but none of its instances is as asked for';
    expect(problemsOf(selecting('{ ARCH: x86, OS: [linux, mac] }'))).toEqual([]);
    expect(problemsOf(selecting('{ ARCH: x86 }'))).toEqual([expect.stringContaining(none)]);
    expect(problemsOf(selecting('{ OS: linux, ARCH: x86 }'))).toEqual([expect.stringContaining(none)]);
  });
});

it('a list of rules has a rule, as in GitLab', () => {
  expect(problemsOf('job: { script: echo, rules: [] }')).toEqual(['job job: rules is a list without a rule']);
});

it('an input may be called anything without a dot', () => {
  const text = `
spec: { inputs: { a/b: { default: black } } }
---
job: { script: "echo $[[ inputs.a/b ]]" }
`;
  expect(problemsOf(text)).toEqual([]);
});
