import path from 'node:path';
import { runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitFault, changedSince, mergeBase, readCommit } from './index.ts';
import { createSandbox } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

const NOTHING = '0'.repeat(40);

describe('what a commit is compared with', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  let fork: string;
  let tip: string;
  beforeEach(async () => {
    sandbox = await createSandbox();
    fork = await sandbox.commit('first', { a: '1' });
    await sandbox.git('checkout', '--quiet', '-b', 'feat');
    await sandbox.commit('second', { b: '1' });
    tip = await sandbox.commit('Draft: third\n\nbody', { c: '1' });
    await sandbox.git('checkout', '--quiet', 'main');
    await sandbox.commit('on main', { d: '1' });
    await sandbox.git('checkout', '--quiet', 'feat');
  });
  afterEach(() => sandbox.remove());

  it('is the parent for a push, and for a child pipeline what its parent has', async () => {
    for (const selection of [{}, { source: 'push' }, { source: 'webide' }, { source: 'parent_pipeline' }]) {
      expect((await readCommit(sandbox.dir, selection)).changedPaths).toEqual(['c']);
    }
  });

  it.each(['schedule', 'trigger', 'web', 'api', 'pipeline', 'chat'])('is nothing for %s', async (source) => {
    const commit = await readCommit(sandbox.dir, { source });
    expect(commit).toMatchObject({ sha: tip, branch: 'feat', beforeSha: NOTHING, changedPaths: undefined });
  });

  it('is the merge base for a merge request', async () => {
    const commit = await readCommit(sandbox.dir, { source: 'merge_request_event' });
    expect(commit).toMatchObject({
      sha: tip,
      branch: 'feat',
      beforeSha: NOTHING,
      changedPaths: ['b', 'c'],
      mergeRequest: { title: 'Draft: third', sourceBranch: 'feat', targetBranch: 'main', diffBaseSha: fork },
    });
    const again = await readCommit(sandbox.dir, {
      source: 'merge_request_event',
      ref: 'feat',
      target: 'main',
    });
    expect(again.mergeRequest).toEqual(commit.mergeRequest);
    expect((await readCommit(sandbox.dir)).mergeRequest).toBeUndefined();
  });

  it('is the branch of origin where the local one lies behind', async () => {
    const main = (await sandbox.git('rev-parse', 'main')).trim();
    await sandbox.git('update-ref', 'refs/remotes/origin/main', main);
    await sandbox.git('branch', '--force', 'main', fork);
    await sandbox.git('rebase', '--quiet', 'origin/main');
    const commit = await readCommit(sandbox.dir, { source: 'merge_request_event' });
    expect(commit.mergeRequest?.diffBaseSha).toBe(main);
    expect(commit.changedPaths).toEqual(['b', 'c']);
  });

  it('is what the user says, for any source', async () => {
    for (const selection of [{}, { source: 'schedule' }, { ref: 'feat' }]) {
      const { changedPaths } = await readCommit(sandbox.dir, { ...selection, compareTo: 'main' });
      expect(changedPaths).toEqual(['b', 'c']);
    }
    await sandbox.git('tag', 'v1');
    expect((await readCommit(sandbox.dir, { tag: 'v1', compareTo: fork })).changedPaths).toEqual(['b', 'c']);
  });

  it('is found by every name a ref has', async () => {
    await sandbox.git('update-ref', 'refs/remotes/origin/only-there', fork);
    await sandbox.git('tag', 'v1', fork);
    for (const name of [
      'main',
      'refs/heads/main',
      'only-there',
      'origin/only-there',
      'v1',
      'refs/tags/v1',
      fork,
    ]) {
      expect([name, await changedSince(sandbox.dir, tip, name)]).toEqual([name, ['b', 'c']]);
    }
  });

  it('is a fault when nobody knows it', async () => {
    for (const name of ['nope', '--output=/tmp/x', '', 'main..feat', 'main; true']) {
      const thrown = await changedSince(sandbox.dir, tip, name).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(GitFault);
      expect((thrown as GitFault).code).toBe('UNKNOWN_REF');
    }
  });

  it('is nothing without a history in common', async () => {
    await sandbox.git('checkout', '--quiet', '--orphan', 'alone');
    const alone = await sandbox.commit('alone');
    expect(await mergeBase(sandbox.dir, alone, 'main')).toBeUndefined();
    const commit = await readCommit(sandbox.dir, { source: 'merge_request_event' });
    expect(commit).toMatchObject({ changedPaths: undefined, mergeRequest: { diffBaseSha: undefined } });
  });

  it('is nothing at the edge of a shallow clone', async () => {
    const clone = path.join(sandbox.dir, '../shallow');
    await runOrThrow('git', ['clone', '--quiet', '--depth=1', `file://${sandbox.dir}`, clone]);
    expect(await readCommit(clone)).toMatchObject({ sha: tip, beforeSha: NOTHING, changedPaths: undefined });
  });
});
