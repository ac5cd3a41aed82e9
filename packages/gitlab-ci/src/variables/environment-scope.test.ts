import { describe, expect, it } from 'vitest';
import { createPipeline } from '../create-pipeline.ts';
import type { CommitFacts, Variable } from '../pipeline.ts';
import { forEnvironment } from './environment-scope.ts';
import { jobVariables } from './job-variables.ts';
import { matchesWildcard } from './wildcard.ts';

const FACTS: CommitFacts = {
  sha: 'a'.repeat(40),
  beforeSha: '0'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: undefined,
  message: 'A commit',
  author: 'Ada <ada@example.org>',
  timestamp: '2026-01-02T03:04:05+00:00',
  defaultBranch: 'main',
  projectName: 'book',
  projectPath: 'local/book',
  projectUrl: undefined,
  userName: 'Ada',
  userEmail: 'ada@example.org',
  changedPaths: undefined,
};

describe('wildcards', () => {
  it.each([
    ['*', 'a/b', true],
    ['review/*', 'review/a/b', true],
    ['review/*', 'review', false],
    ['*prod*', 'eu-production', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['*ab*ab', 'ab', false],
    ['**', '', true],
    ['a.c', 'abc', false],
    ['', '', true],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  it('take no longer for hostile patterns', () => {
    expect(matchesWildcard('*a'.repeat(5_000), 'a'.repeat(4_999))).toBe(false);
  });

  it('choose the variables of an environment', () => {
    const variable = (value: string, environmentScope?: string): Variable => ({
      key: 'A',
      value,
      source: 'project',
      ...(environmentScope === undefined ? {} : { environmentScope }),
    });
    const all = [
      variable('all'),
      variable('stars', '*'),
      variable('review', 'review/*'),
      variable('prod', 'prod'),
    ];
    const valuesFor = (name: string | undefined) => forEnvironment(all, name).map(({ value }) => value);
    expect(valuesFor(undefined)).toEqual(['all', 'stars']);
    expect(valuesFor('review/x')).toEqual(['all', 'stars', 'review']);
    expect(valuesFor('prod')).toEqual(['all', 'stars', 'prod']);
  });

  it('give a job those of its own environment, and rules of no environment none', () => {
    const variable = (value: string, environmentScope: string): Variable => ({
      key: 'A',
      value,
      source: 'project',
      environmentScope,
    });
    const text = `
workflow:
  rules:
    - if: $A == "all"
deploy: { script: a, environment: production }
other: { script: a, environment: staging }
test: { script: a }
`;
    const { pipeline } = createPipeline({
      facts: FACTS,
      files: { read: () => text, list: () => ['.gitlab-ci.yml'] },
      projectVariables: [variable('all', '*'), variable('prod', 'prod*')],
    });
    const values = pipeline?.jobs.map((job) => [
      job.name,
      jobVariables(pipeline, job).find(({ key }) => key === 'A')?.value,
    ]);
    expect(values).toEqual([
      ['deploy', 'prod'],
      ['other', 'all'],
      ['test', 'all'],
    ]);
  });
});
