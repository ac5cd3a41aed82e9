import type { Clock } from '@updraft/kit';
import { readCommit, uncommittedPaths, workTreeKey } from '@updraft/git';
import { createSandbox } from '@updraft/git/testing';
import type { Sandbox } from '@updraft/git/testing';
import type { CommitFacts } from '@updraft/gitlab-ci';
import { lstat, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCheckouts } from './checkouts.ts';

describe('checkouts', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  let dir: string;
  let commit: CommitFacts;
  let minutes: number;
  const clock = { now: () => minutes * 60_000 } as Clock;
  beforeEach(async () => {
    sandbox = await createSandbox();
    dir = path.join(sandbox.dir, '../checkouts');
    minutes = 30_000_000;
    await sandbox.commit('first', { a: '1', 'b/c': '1' });
    commit = await readCommit(sandbox.dir);
  });
  afterEach(() => sandbox.remove());

  const changes = async () => {
    const paths = await uncommittedPaths(sandbox.dir);
    return { workTree: { paths, key: await workTreeKey(sandbox.dir, paths) } };
  };
  const taken = (folder: string, file: string) => readFile(path.join(folder, file), 'utf8');

  it('makes a commit’s folder once, however many ask', async () => {
    const checkouts = createCheckouts(dir, clock);
    const folders = await Promise.all([1, 2, 3].map(() => checkouts.folder(commit, sandbox.dir, false)));
    expect(new Set(folders).size).toBe(1);
    const { ino } = await stat(folders[0]!);
    expect((await stat(await checkouts.folder(commit, sandbox.dir, false))).ino).toBe(ino);
    expect(await taken(folders[0]!, 'a')).toBe('1');
  });

  it('lays the work tree over the commit, one folder for each state of it', async () => {
    const checkouts = createCheckouts(dir, clock);
    await sandbox.write('a', '2');
    await sandbox.write('new', 'new');
    const state = await changes();
    const first = await checkouts.folder(commit, sandbox.dir, false, state);
    await sandbox.write('a', '3');
    expect(await checkouts.folder(commit, sandbox.dir, false, state)).toBe(first);
    expect(await taken(first, 'a')).toBe('2');
    expect(await taken(first, 'new')).toBe('new');
    // The one for every user is of the same moment, though it is made later.
    const open = await checkouts.folder(commit, sandbox.dir, true, state);
    expect(await taken(open, 'a')).toBe('2');
    expect((await stat(path.join(open, 'b/c'))).mode & 0o777).toBe(0o666);
    expect((await stat(path.join(first, 'b/c'))).mode & 0o777).toBe(0o644);
    await sandbox.git('checkout', '--quiet', 'b/c');
    expect(await taken(await checkouts.folder(commit, sandbox.dir, false), 'a')).toBe('1');
    const second = await checkouts.folder(commit, sandbox.dir, false, await changes());
    expect(second).not.toBe(first);
    expect(await taken(second, 'a')).toBe('3');
    expect(await taken(await checkouts.folder(commit, sandbox.dir, false), 'a')).toBe('1');
  });

  it('checks out as the job’s variables say, and repeats what there is to say', async () => {
    await sandbox.commit('second', { a: '2', '.gitattributes': '*.bin filter=lfs\n', 'x.bin': POINTER });
    commit = await readCommit(sandbox.dir);
    const checkouts = createCheckouts(dir, clock);
    const shallow = await checkouts.folder(commit, sandbox.dir, false, { variables: { GIT_DEPTH: '1' } });
    expect(await taken(shallow, '.git/shallow')).toContain(commit.sha);
    const heard: string[][] = [[], []];
    for (const notes of heard) {
      await checkouts.folder(commit, sandbox.dir, false, { onNote: (note) => notes.push(note) });
    }
    expect(heard[0]).toEqual([expect.stringContaining('x.bin')]);
    expect(heard[1]).toEqual(heard[0]);
  });

  it('keeps what is new, and what a job may still have', async () => {
    const checkouts = createCheckouts(dir, clock);
    const first = await checkouts.folder(commit, sandbox.dir, false);
    for (let index = 0; index < 14; index += 1) {
      minutes += 0.1;
      await checkouts.folder(commit, sandbox.dir, false, { variables: { GIT_DEPTH: String(index + 1) } });
    }
    expect(await stat(first)).toBeDefined();
    minutes += 361;
    await checkouts.folder(commit, sandbox.dir, false, { variables: { GIT_DEPTH: '14' } });
    await expect(lstat(first)).rejects.toThrow('ENOENT');
    const left = (await readdir(path.dirname(first))).filter((name) => !name.endsWith('.json'));
    expect(left).toHaveLength(12);
  });

  it('starts again where a dead daemon left a part', async () => {
    const folder = await createCheckouts(dir, clock).folder(commit, sandbox.dir, false);
    await mkdir(`${folder}-aaa.part`);
    await mkdir(`${folder}-open.part/left`, { recursive: true });
    const open = await createCheckouts(dir, clock).folder(commit, sandbox.dir, true);
    expect((await readdir(open)).toSorted()).toEqual(['.git', 'a', 'b']);
  });
});

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`;
