import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { forEnvironment } from '@updraft/gitlab-ci';
import type { CommitFacts, Variable } from '@updraft/gitlab-ci';
import { runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectFault } from '../index.ts';
import { looksSecret, readUserVariables } from './user-variables.ts';

const FACTS = {
  branch: 'main',
  tag: undefined,
  defaultBranch: 'main',
  projectPath: 'group/sub/book',
  projectUrl: 'https://gitlab.example.org:8443/group/sub/book',
} as CommitFacts;

describe('variables of the user’s files', { timeout: 30_000 }, () => {
  let root: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(path.join(tmpdir(), 'updraft-project-')));
    await mkdir(path.join(root, 'repo'));
    await git('init', '--quiet');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const git = (...args: string[]) => runOrThrow('git', args, { cwd: path.join(root, 'repo') });
  const write = async (file: string, content: string) => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), content);
  };
  const read = (facts: Partial<CommitFacts> = {}) =>
    readUserVariables(
      {
        dir: path.join(root, 'repo'),
        home: path.join(root, 'user/.updraft'),
        userHome: path.join(root, 'user'),
      },
      { ...FACTS, ...facts },
    );
  /** As a job gets them. */
  const values = async (environment?: string, facts: Partial<CommitFacts> = {}) =>
    Object.fromEntries(
      forEnvironment((await read(facts)).variables, environment).map(({ key, value }) => [key, value]),
    );
  const variable = async (key: string): Promise<Variable | undefined> =>
    (await read()).variables.findLast((one) => one.key === key);
  const fault = async (): Promise<ProjectFault> => {
    const thrown = await read().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ProjectFault);
    return thrown as ProjectFault;
  };

  it('are none without files', async () => {
    expect(await read()).toEqual({ variables: [], origins: new Map() });
  });

  it('win over each other in order: home files, then the project’s; global, group, project', async () => {
    await write(
      'user/.gitlab-ci-local/variables.yml',
      'global: { A: peer-home, B: peer-home, C: peer-home, D: peer-home, E: peer-home }',
    );
    await write(
      'user/.updraft/variables.yml',
      `
global: { B: own-home, C: own-home, D: own-home, E: own-home, G: global, H: global, I: global, J: global }
group:
  gitlab.example.org:8443/group/sub: { H: near, I: near }
  group: { G: far, H: far, I: far, J: far }
  other: { J: other }
project:
  gitlab.example.org:8443/group/sub/book.git: { I: project }
  group/sub/other: { J: other }
`,
    );
    await write('repo/.gitlab-ci-local-variables.yml', 'C: peer\nD: peer\nE: peer\n');
    await write('repo/.updraft/variables.yml', '# mine\nD: own\nE: own\n');
    await write('repo/.gitlab-ci-local-env', 'PRIVILEGED=true\nVARIABLE="E=option F=1"\n');
    expect(await values()).toEqual({
      A: 'peer-home',
      B: 'own-home',
      C: 'peer',
      D: 'own',
      E: 'option',
      F: '1',
      G: 'far',
      H: 'near',
      I: 'project',
      J: 'far',
    });
    const { origins } = await read();
    expect(origins.get('A')).toBe('~/.gitlab-ci-local/variables.yml:1');
    expect(origins.get('D')).toBe('.updraft/variables.yml:2');
    expect(origins.get('E')).toBe('.gitlab-ci-local-env:2');
  });

  it('read gitlab-ci-local’s ways of writing', async () => {
    await write('user/.ssh/known_hosts', 'host key\n');
    await write(
      'repo/.gitlab-ci-local-variables.yml',
      `---
KNOWN_HOSTS: '~/.ssh/known_hosts'
NO_FILE: /api/v1
NUMBER: 0755
BOOLEAN: yes
EMPTY:
BY_ENVIRONMENT:
  type: variable
  values:
    '*production*': prod
    staging: stage
CONTENT:
  type: file
  values:
    '*': |
      several
      lines
`,
    );
    expect(await values('eu-production')).toMatchObject({
      NO_FILE: '/api/v1',
      NUMBER: '0755',
      BOOLEAN: 'yes',
      EMPTY: '',
      BY_ENVIRONMENT: 'prod',
    });
    expect(await values('staging')).toMatchObject({ BY_ENVIRONMENT: 'stage' });
    expect(await values()).not.toHaveProperty('BY_ENVIRONMENT');
    expect(await variable('KNOWN_HOSTS')).toMatchObject({ value: 'host key\n', file: true });
    expect(await variable('CONTENT')).toMatchObject({ value: 'several\nlines\n', file: true });
    expect(await variable('NO_FILE')).not.toHaveProperty('file');
  });

  it('read our own', async () => {
    await write('repo/.updraft/key.pem', 'key');
    await write(
      'repo/.updraft/variables.yml',
      `
PLAIN: /etc/hostname
RAW: { value: 'a$b', raw: true }
FILE: { value: content, type: file }
FROM: { path: key.pem }
MASKED: { value: swordfish, masked: true }
OPEN_TOKEN: { value: not-a-secret, masked: false }
DEPLOY_TOKEN: long-enough
URL:
  - { value: review, environment: review/* }
  - { value: mine, environment: review/mine }
  - value: all
`,
    );
    expect(await variable('PLAIN')).toEqual({ key: 'PLAIN', value: '/etc/hostname', source: 'project' });
    expect(await variable('RAW')).toMatchObject({ raw: true });
    expect(await variable('FILE')).toMatchObject({ value: 'content', file: true });
    expect(await variable('FROM')).toMatchObject({ value: 'key', file: true });
    expect(await variable('MASKED')).toMatchObject({ masked: true });
    expect(await variable('OPEN_TOKEN')).not.toHaveProperty('masked');
    expect(await variable('DEPLOY_TOKEN')).toMatchObject({ masked: true });
    expect((await values()).URL).toBe('all');
    expect((await values('production')).URL).toBe('all');
    expect((await values('review/a')).URL).toBe('review');
    expect((await values('review/mine')).URL).toBe('mine');
  });

  it('of a stronger file win whatever the scope', async () => {
    await write('user/.updraft/variables.yml', 'global:\n  A: { value: weak, environment: production }\n');
    await write('repo/.updraft/variables.yml', 'A: strong');
    expect((await values('production')).A).toBe('strong');
  });

  it('that are protected count for protected refs alone', async () => {
    await write('repo/.updraft/variables.yml', 'A: { value: secret, protected: true }');
    expect(await values()).toEqual({ A: 'secret' });
    expect(await values(undefined, { branch: 'feat' })).toEqual({});
    expect(await values(undefined, { branch: 'feat', protectedRefs: ['fe*'] })).toEqual({ A: 'secret' });
  });

  it.each([
    ['- a\n- b', 1, 'must be a map'],
    ['A: 1\nB: [1, 2', 2, ''],
    ['A: 1\nA: 2', 2, 'unique'],
    ['A: 1\n1B: 2', 2, 'no name of a variable'],
    ['A:\n  value: 1\n  hidden: true', 3, 'unknown option "hidden"'],
    ['A:\n  masked: true', 1, 'exactly one of'],
    ['A: { value: 1, masked: maybe }', 1, 'true or false'],
    ['A:\n  path: /no/such/file', 2, 'cannot be read'],
    ['A: { value: { b: 1 } }', 1, 'must be a text'],
    ['A: &a [*a]', 1, ''],
    ['A: { values: 1 }', 1, 'map from environments'],
  ])('that are wrong are a fault with the line: %j', async (text, line, what) => {
    await write('repo/.updraft/variables.yml', text);
    const { code, message, next } = await fault();
    expect(code).toBe('SETTINGS_INVALID');
    expect(message).toContain(`.updraft/variables.yml:${line}: `);
    expect(message).toContain(what);
    expect(next).toContain('.updraft/variables.yml');
  });

  it('that are committed may name no files of the user’s', async () => {
    await write('user/.ssh/id', 'secret');
    await write('repo/inside.pem', 'inside');
    await symlink('../user/.ssh/id', path.join(root, 'repo/link.pem'));
    await git('config', 'remote.origin.url', 'https://ada:secret@example.org/a/b');
    await write('repo/.gitlab-ci-local-variables.yml', "PLAIN: '~/.ssh/id'");
    expect(await values()).toEqual({ PLAIN: 'secret' });
    await git('add', '--all');
    expect(await values()).toEqual({ PLAIN: '~/.ssh/id' });
    const files = ['../inside.pem', '~/.ssh/id', '../../user/.ssh/id', '../link.pem', '../.git/config'];
    for (const file of files) {
      await write('repo/.updraft/variables.yml', `A: { path: '${file}' }`);
      expect(await values()).toHaveProperty('A');
      await git('add', '--force', '.updraft');
      if (file === '../inside.pem') expect((await values()).A).toBe('inside');
      else
        expect((await fault()).message).toContain(
          'is committed, so it may name only files of this repository',
        );
      await git('rm', '--quiet', '--cached', '.updraft/variables.yml');
    }
  });

  it('may not be a committed link to those of another project', async () => {
    await write('other/variables.yml', 'A: secret');
    await mkdir(path.join(root, 'repo/.updraft'));
    await symlink('../../other/variables.yml', path.join(root, 'repo/.updraft/variables.yml'));
    expect(await values()).toEqual({ A: 'secret' });
    await git('add', '--all');
    expect((await fault()).message).toContain('leads out of this repository');
  });

  it('tell every mistake of a file at once, and no value', async () => {
    await write('repo/.updraft/variables.yml', 'a-b: topsecret\nA: { value: topsecret, x: topsecret }\n');
    const { message } = await fault();
    expect(message.split('\n')).toHaveLength(2);
    expect(message).not.toContain('topsecret');
  });

  it.each([
    ['DB_PASSWORD', 'long-enough', true],
    ['TOKEN', 'long-enough', true],
    ['SSH_PRIVATE_KEY', 'long-enough', true],
    ['CACHE_KEY', 'long-enough', false],
    ['TOKEN_URL', 'https://example.org', false],
    ['DB_PASSWORD', 'short', false],
  ])('are masked by their name: %s', (key, value, expected) => {
    expect(looksSecret(key, value)).toBe(expected);
  });
});
