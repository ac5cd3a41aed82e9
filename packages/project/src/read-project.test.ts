import { createSandbox } from '@updraft/git/testing';
import type { Sandbox } from '@updraft/git/testing';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectFault, createProjectPipeline, readProject } from './index.ts';
import type { ProjectSelection } from './index.ts';

const CONFIGURATION = `
build:
  script: make
  rules:
    - changes: [src/**]
api:
  script: make
  rules:
    - changes: { paths: [api/**], compare_to: base }
`;

describe('readProject', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await createSandbox();
  });
  afterEach(() => sandbox.remove());

  const read = (selection: Partial<ProjectSelection> = {}) =>
    readProject(
      { dir: sandbox.dir, variables: {}, ...selection },
      { home: path.join(sandbox.dir, '../home'), now: 1_700_000_000_000 },
    );
  const jobs = async (selection: Partial<ProjectSelection> = {}) => {
    const { pipeline, problems } = await createProjectPipeline(await read(selection));
    expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    return pipeline?.jobs.map((job) => job.name) ?? [];
  };

  it('takes the work tree of the checked-out branch, and the commit alone when asked to', async () => {
    await sandbox.commit('first', { '.gitlab-ci.yml': CONFIGURATION, 'src/a': '1' });
    await sandbox.git('branch', 'base');
    await sandbox.git('branch', 'other');
    await sandbox.commit('second', { 'README.md': '1' });
    await sandbox.write('src/a', 'changed');
    await sandbox.write('new.txt', 'new');
    const project = await read();
    expect(project.uncommitted).toEqual(['new.txt', 'src/a']);
    expect(project.facts.changedPaths).toEqual(['README.md', 'new.txt', 'src/a']);
    expect(project.request.files.list()).toContain('new.txt');
    expect(await jobs()).toEqual(['build']);
    expect((await read({ committed: true })).uncommitted).toBeUndefined();
    expect(await jobs({ committed: true })).toEqual([]);
    expect((await read({ ref: 'other' })).uncommitted).toBeUndefined();
    expect((await read({ ref: 'main' })).uncommitted).toEqual(['new.txt', 'src/a']);
  });

  it('answers what rules:changes compares with', async () => {
    await sandbox.commit('first', { '.gitlab-ci.yml': CONFIGURATION });
    await sandbox.git('branch', 'base');
    await sandbox.commit('second', { 'api/a': '1' });
    await sandbox.commit('third', { 'README.md': '1' });
    expect(await jobs()).toEqual(['api']);
  });

  it('takes a target branch for a merge request', async () => {
    await sandbox.commit('first', { '.gitlab-ci.yml': CONFIGURATION });
    await sandbox.git('checkout', '--quiet', '-b', 'feat');
    await sandbox.commit('second', { 'src/a': '1' });
    await sandbox.commit('third', { 'README.md': '1' });
    const project = await read({ target: 'main' });
    expect(project.request.source).toBe('merge_request_event');
    expect(project.facts.mergeRequest).toMatchObject({ sourceBranch: 'feat', targetBranch: 'main' });
    expect(project.facts.changedPaths).toEqual(['README.md', 'src/a']);
  });

  it('keeps the user’s own files out of what jobs get, and reads the variables in them', async () => {
    await sandbox.commit('first', { '.gitlab-ci.yml': CONFIGURATION });
    await sandbox.write('.updraft/variables.yml', 'A: file\nB: file\nC: file\n');
    await sandbox.write('.gitlab-ci-local-variables.yml', 'C: peer\nD: peer\n');
    await sandbox.write('.gitlab-ci-local/state.yml', '');
    const project = await readProject(
      { dir: sandbox.dir, variables: { A: 'told', DEPLOY_TOKEN: 'long-enough' } },
      {
        home: path.join(sandbox.dir, '../home'),
        userHome: path.join(sandbox.dir, '..'),
        now: 0,
        platformVariables: (projectPath) => [
          { key: 'B', value: 'platform', source: 'project' },
          { key: 'P', value: projectPath, source: 'project' },
        ],
      },
    );
    expect(project.uncommitted).toBeUndefined();
    const { pipelineVariables, projectVariables = [] } = project.request;
    expect(pipelineVariables).toEqual([
      { key: 'A', value: 'told', source: 'pipeline' },
      { key: 'DEPLOY_TOKEN', value: 'long-enough', source: 'pipeline', masked: true },
    ]);
    const last = Object.fromEntries(projectVariables.map(({ key, value }) => [key, value]));
    expect(last).toEqual({ A: 'file', B: 'file', C: 'file', D: 'peer', P: 'local/address-book' });
    expect(project.variableOrigins.get('D')).toBe('.gitlab-ci-local-variables.yml:2');
  });

  it.each([
    { ref: 'main', tag: 'v1' },
    { tag: 'v1', target: 'main' },
    { source: 'push', target: 'main' },
  ])('refuses %j', async (selection) => {
    await sandbox.commit('first');
    await sandbox.git('tag', 'v1');
    const thrown = await read(selection).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ProjectFault);
    expect((thrown as ProjectFault).code).toBe('SELECTION_INVALID');
  });
});
