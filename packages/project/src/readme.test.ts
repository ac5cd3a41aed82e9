import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createSandbox } from '@updraft/git/testing';
import type { Sandbox } from '@updraft/git/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes, createProjectPipeline, readProject } from './index.ts';

describe('the README', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  let readme: string;
  beforeEach(async () => {
    sandbox = await createSandbox();
    readme = await readFile(path.join(import.meta.dirname, '../README.md'), 'utf8');
  });
  afterEach(() => sandbox.remove());

  it('names every fault', () => {
    const listed = /Faults \(`ProjectFault`\): ([^;]*);/.exec(readme)?.[1] ?? '';
    expect(listed.match(/[A-Z_]+/g)?.toSorted()).toEqual(Object.keys(codes).toSorted());
  });

  it('has examples that work', async () => {
    const userHome = path.dirname(sandbox.dir);
    await sandbox.commit('first', { '.gitlab-ci.yml': 'test: { script: make }' });
    await sandbox.write('../.kube/config', 'kubeconfig');
    for (const [, file = '', text = ''] of readme.matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)) {
      await sandbox.write(file, text);
    }
    const home = path.join(userHome, '.updraft');
    const project = await readProject({ dir: sandbox.dir, variables: {} }, { home, userHome, now: 0 });
    const { pipeline, problems } = await createProjectPipeline(project);
    expect(problems).toEqual([]);
    expect(pipeline?.jobs.map((job) => job.name)).toEqual(['test']);
    expect(project.facts.protectedRefs).toEqual(['main', 'release/*', 'v*']);
    const given = new Map(project.request.projectVariables?.map((variable) => [variable.key, variable]));
    expect([...given.keys()]).toEqual([
      'REGION',
      'KUBECONFIG',
      'CERTIFICATE',
      'DEPLOY_TOKEN',
      'PATTERN',
      'URL',
    ]);
    expect(given.get('KUBECONFIG')).toMatchObject({ value: 'kubeconfig', file: true });
  });
});
