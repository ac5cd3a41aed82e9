import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitFault, readCommit } from './index.ts';
import { createSandbox } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

describe('readCommit', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await createSandbox();
  });
  afterEach(() => sandbox.remove());

  it('describes the checked-out branch', async () => {
    const first = await sandbox.commit('first', { 'a.txt': '1' });
    const second = await sandbox.commit('Title: "quoted" 🚀\n\nBody with $VAR\nand more', {
      'b c.txt': '2',
      'a.txt': 'x',
    });
    await sandbox.git('config', 'user.name', 'Grace');
    await sandbox.git('config', 'user.email', 'grace@example.org');
    const commit = await readCommit(sandbox.dir);
    expect(commit).toMatchObject({
      sha: second,
      beforeSha: first,
      branch: 'main',
      tag: undefined,
      message: 'Title: "quoted" 🚀\n\nBody with $VAR\nand more\n',
      author: 'Ada Lovelace <ada@example.org>',
      defaultBranch: 'main',
      projectName: 'address-book',
      projectPath: 'local/address-book',
      projectUrl: undefined,
      userName: 'Grace',
      userEmail: 'grace@example.org',
      changedPaths: ['a.txt', 'b c.txt'],
    });
    expect(commit.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
  });

  it('has nothing to compare the first commit with', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    const commit = await readCommit(sandbox.dir);
    expect(commit.beforeSha).toBe('0'.repeat(40));
    expect(commit.changedPaths).toBeUndefined();
  });

  it('knows an empty commit changed nothing', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.commit('empty');
    expect((await readCommit(sandbox.dir)).changedPaths).toEqual([]);
  });

  it('compares a merge with its first parent', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.git('checkout', '--quiet', '-b', 'feat');
    await sandbox.commit('feature', { 'feature.txt': '1' });
    await sandbox.git('checkout', '--quiet', 'main');
    await sandbox.commit('main', { 'main.txt': '1' });
    await sandbox.git('merge', '--quiet', '--no-edit', 'feat');
    expect((await readCommit(sandbox.dir)).changedPaths).toEqual(['feature.txt']);
  });

  it('takes a branch, a tag and a commit that are asked for', async () => {
    const first = await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.git('tag', '--annotate', 'v1.0.0', '--message', 'The first\n\nrelease');
    await sandbox.git('tag', 'light');
    await sandbox.git('branch', 'feat/search');
    const second = await sandbox.commit('second', { 'a.txt': '2' });
    expect(await readCommit(sandbox.dir, { ref: 'feat/search' })).toMatchObject({
      sha: first,
      branch: 'feat/search',
    });
    expect(await readCommit(sandbox.dir, { tag: 'v1.0.0' })).toMatchObject({
      sha: first,
      branch: undefined,
      tag: 'v1.0.0',
      tagMessage: 'The first\n\nrelease',
      beforeSha: '0'.repeat(40),
      changedPaths: undefined,
    });
    expect(await readCommit(sandbox.dir, { tag: 'light' })).toMatchObject({
      sha: first,
      tagMessage: undefined,
    });
    expect(await readCommit(sandbox.dir, { ref: second.slice(0, 10) })).toMatchObject({
      sha: second,
      branch: 'main',
    });
  });

  it('takes a detached HEAD for the branch whose tip it is, never for a tag', async () => {
    const first = await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.git('tag', 'v1');
    const second = await sandbox.commit('second', { 'a.txt': '2' });
    await sandbox.git('checkout', '--quiet', '--detach', second);
    expect(await readCommit(sandbox.dir)).toMatchObject({ branch: 'main', tag: undefined });
    await sandbox.git('checkout', '--quiet', '--detach', first);
    expect(await readCommit(sandbox.dir)).toMatchObject({ branch: first.slice(0, 8), tag: undefined });
  });

  it('reads the project from the remote, without its password', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.git(
      'remote',
      'add',
      'origin',
      'https://ada:s3cret@gitlab.example.org:8443/group/sub/book.git',
    );
    const commit = await readCommit(sandbox.dir);
    expect(commit.projectUrl).toBe('https://gitlab.example.org:8443/group/sub/book');
    expect(commit.projectPath).toBe('group/sub/book');
    expect(JSON.stringify(commit)).not.toContain('s3cret');
  });

  it('takes the default branch from origin', async () => {
    const sha = await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.git('update-ref', 'refs/remotes/origin/develop', sha);
    await sandbox.git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/develop');
    const commit = await readCommit(sandbox.dir);
    expect(commit.defaultBranch).toBe('develop');
    expect(await readCommit(sandbox.dir, { ref: 'develop' })).toMatchObject({ branch: 'develop', sha });
  });

  it('says what is wrong and what to do', async () => {
    expect(await fault(readCommit(sandbox.dir))).toBe('NO_COMMITS');
    await sandbox.commit('first', { 'a.txt': '1' });
    expect(await fault(readCommit(sandbox.dir, { ref: 'nope' }))).toBe('UNKNOWN_REF');
    expect(await fault(readCommit(sandbox.dir, { tag: 'nope' }))).toBe('UNKNOWN_REF');
    expect(await fault(readCommit(sandbox.dir, { ref: '--output=/tmp/x' }))).toBe('UNKNOWN_REF');
    expect(await fault(readCommit('/proc'))).toBe('NOT_A_REPOSITORY');
    expect(await fault(readCommit(`${sandbox.dir}/gone`))).toMatch('NOT_A_REPOSITORY');
  });
});

async function fault(work: Promise<unknown>) {
  const thrown = await work.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(GitFault);
  expect((thrown as GitFault).next).toBeTruthy();
  return (thrown as GitFault).code;
}
