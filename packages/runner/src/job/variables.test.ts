import { describe, expect, it } from 'vitest';
import type { Variable } from '@updraft/gitlab-ci';
import type { JobInput } from '../ports.ts';
import { jobEnvironment } from './variables.ts';

const PLACE = {
  buildsDir: '/builds',
  projectDir: '/builds/g/p',
  temporaryDir: { host: '/tmp/host', inside: '/builds/g/p.tmp' },
  startedAt: 0,
  token: 'token',
  onHost: true,
};

interface Given {
  readonly variables?: readonly Variable[];
  readonly name?: string;
  readonly projectUrl?: string;
}

function environmentOf({ variables = [], name, projectUrl }: Given) {
  const job = { variables, tags: [] };
  const request = { pipeline: { variables: [], name }, facts: { projectUrl }, projectVariables: [] };
  return jobEnvironment({ job, jobId: 7, runId: 3, request } as unknown as JobInput, PLACE, {});
}

describe('the environment of a job', () => {
  it('tells the name of the pipeline and where GitLab would show it', () => {
    expect(
      environmentOf({ name: 'Nightly', projectUrl: 'https://gitlab.example.org/g/p' }).values,
    ).toMatchObject({
      CI_PIPELINE_NAME: 'Nightly',
      CI_PIPELINE_URL: 'https://gitlab.example.org/g/p/-/pipelines/3',
      CI_JOB_URL: 'https://gitlab.example.org/g/p/-/jobs/7',
    });
    const names = Object.keys(environmentOf({}).values);
    expect(names).not.toContain('CI_PIPELINE_NAME');
    expect(names).not.toContain('CI_JOB_URL');
  });

  it('gives the path of a file to what mentions its variable', () => {
    const { values, files } = environmentOf({
      variables: [
        { key: 'KEY', value: 'content', file: true, source: 'project' },
        { key: 'ARGUMENTS', value: '-i $KEY', source: 'job' },
      ],
    });
    expect(values).toMatchObject({ KEY: '/builds/g/p.tmp/KEY', ARGUMENTS: '-i /builds/g/p.tmp/KEY' });
    expect(files).toEqual({ KEY: 'content' });
  });
});
