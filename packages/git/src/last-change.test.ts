import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastChangeMs } from './last-change.ts';
import { createSandbox } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

describe('lastChangeMs', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await createSandbox();
  });
  afterEach(() => sandbox.remove());

  it('is the time of the last commit that touched the folder', async () => {
    await sandbox.commit('first', { 'app/a': '1' });
    const time = Number((await sandbox.git('log', '-1', '--format=%ct')).trim()) * 1000;
    await sandbox.commit('second', { 'other/a': '1' });
    expect(await lastChangeMs(path.join(sandbox.dir, 'app'))).toBe(time);
  });

  it('is asked for again once there is another commit', async () => {
    await sandbox.commit('first', { 'app/a': '1' });
    expect(await lastChangeMs(sandbox.dir)).toBeGreaterThan(Date.UTC(2020, 0, 1));
    for (const year of [2001, 2002]) {
      const env = { GIT_COMMITTER_DATE: `${year}-01-01T00:00:00Z` };
      const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
      const amend = [...identity, 'commit', '--amend', '--no-edit', '--allow-empty', '--quiet'];
      await runOrThrow('git', amend, { cwd: sandbox.dir, env });
      for (const _ of [1, 2]) expect(await lastChangeMs(sandbox.dir)).toBe(Date.UTC(year, 0, 1));
    }
  });

  it('is not known outside of commits', async () => {
    await mkdir(path.join(sandbox.dir, 'new'), { recursive: true });
    expect(await lastChangeMs(sandbox.dir)).toBeUndefined();
    await sandbox.commit('first', { 'app/a': '1' });
    expect(await lastChangeMs(path.join(sandbox.dir, 'new'))).toBeUndefined();
    expect(await lastChangeMs('/proc')).toBeUndefined();
  });
});
