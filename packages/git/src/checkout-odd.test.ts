import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitFault, checkout, checkoutWish, isDirty, readCommit, readTree } from './index.ts';
import { createSandbox, snapshotOf } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

const FILE_PROTOCOL = ['-c', 'protocol.file.allow=always'];

let parent: string;
let target: string;
const sandboxes: Sandbox[] = [];
const sandboxOf = async (name?: string, format?: string) => {
  const sandbox = await createSandbox(name, format);
  sandboxes.push(sandbox);
  return sandbox;
};
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'updraft-git-'));
  target = path.join(parent, 'target');
});
afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
  for (const sandbox of sandboxes.splice(0)) await sandbox.remove();
});
const taken = (file: string) => readFile(path.join(target, file), 'utf8');

describe('checkout of odd repositories', { timeout: 30_000 }, () => {
  it.each([`it's "quoted" $HOME`, 'line\nbreak', '100%25 ü🚀', '-dash: x'])('named %j', async (name) => {
    const sandbox = await sandboxOf(name);
    const sha = await sandbox.commit('first', { a: '1' });
    expect((await readCommit(sandbox.dir)).sha).toBe(sha);
    await checkout(sandbox.dir, sha, target);
    expect(await taken('a')).toBe('1');
  });

  it('with SHA-256', async () => {
    const sandbox = await sandboxOf('book', 'sha256');
    const sha = await sandbox.commit('first', { 'a.yml': '1' });
    expect(sha).toHaveLength(64);
    expect((await readCommit(sandbox.dir)).sha).toBe(sha);
    expect((await readTree(sandbox.dir, sha)).read('a.yml')).toBe('1');
    await checkout(sandbox.dir, sha, target);
    expect(await taken('a.yml')).toBe('1');
  });

  it('from a linked work tree', async () => {
    const sandbox = await sandboxOf();
    await sandbox.commit('first', { a: '1' });
    const linked = path.join(parent, 'linked');
    await sandbox.git('worktree', 'add', '--quiet', '-b', 'feat', linked);
    await writeFile(path.join(linked, 'a'), '2');
    const commit = await readCommit(linked);
    expect(commit.branch).toBe('feat');
    expect(await isDirty(linked)).toBe(true);
    expect(await isDirty(sandbox.dir)).toBe(false);
    await checkout(linked, commit.sha, target);
    expect(await taken('a')).toBe('1');
  });

  it('without a work tree', async () => {
    const sandbox = await sandboxOf();
    const sha = await sandbox.commit('first', { 'a.yml': '1' });
    const bare = path.join(parent, 'bare.git');
    await sandbox.git('clone', '--quiet', '--bare', '.', bare);
    expect(await readCommit(path.join(bare, 'refs'))).toMatchObject({ sha, branch: 'main' });
    expect(await isDirty(bare)).toBe(false);
    expect((await readTree(bare, sha)).read('a.yml')).toBe('1');
    await checkout(bare, sha, target);
    expect(await taken('a.yml')).toBe('1');
  });

  it('a partial clone, without asking its remote', async () => {
    const sandbox = await sandboxOf();
    await sandbox.commit('first', { 'a.yml': 'old' });
    const sha = await sandbox.commit('second', { 'a.yml': 'new' });
    const partial = path.join(parent, 'partial');
    await sandbox.git('config', 'uploadpack.allowFilter', 'true');
    await sandbox.git('clone', '--quiet', '--filter=blob:none', `file://${sandbox.dir}`, partial);
    const asked = path.join(parent, 'asked');
    await runOrThrow('git', ['config', 'remote.origin.uploadpack', `touch ${asked}; git-upload-pack`], {
      cwd: partial,
    });
    expect(await readCommit(partial)).toMatchObject({ sha, changedPaths: ['a.yml'] });
    expect((await readTree(partial, sha)).read('a.yml')).toBe('new');
    const { notes } = await checkout(partial, sha, target);
    expect(notes).toEqual([expect.stringContaining('partial clone')]);
    expect(await taken('a.yml')).toBe('new');
    await expect(lstat(asked)).rejects.toThrow('ENOENT');
  });
});

describe('submodules', { timeout: 30_000 }, () => {
  it('come from the clone of the outer repository', async () => {
    const outer = await withSubmodules();
    const before = await snapshotOf(outer.dir);
    await checkout(outer.dir, outer.sha, target);
    expect(await readdir(path.join(target, 'sub'))).toEqual([]);
    await rm(target, { recursive: true });
    await checkout(outer.dir, outer.sha, target, { submodules: 'normal' });
    expect(await taken('sub/a')).toBe('middle');
    expect(await readdir(path.join(target, 'sub/deep'))).toEqual([]);
    await rm(target, { recursive: true });
    await checkout(outer.dir, outer.sha, target, { submodules: 'recursive', submoduleDepth: 1 });
    expect(await taken('sub/deep/b')).toBe('inner');
    expect(await runOrThrow('git', ['status', '--porcelain'], { cwd: target })).toBe('');
    expect(await snapshotOf(outer.dir)).toEqual(before);
  });

  it('that the clone does not have are a fault that says what to do', async () => {
    const outer = await withSubmodules();
    const clone = path.join(parent, 'clone');
    await runOrThrow('git', ['clone', '--quiet', outer.dir, clone]);
    const thrown = await checkout(clone, outer.sha, target, { submodules: 'normal' }).catch(
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(GitFault);
    expect(thrown).toMatchObject({
      code: 'SUBMODULE_MISSING',
      message: expect.stringContaining('sub'),
      next: expect.stringContaining('git submodule update --init'),
    });
    await expect(lstat(target)).rejects.toThrow('ENOENT');
  });

  it('may not name a folder elsewhere', async () => {
    const inner = await sandboxOf('inner');
    const id = await inner.commit('first', { b: 'inner' });
    const outer = await sandboxOf('outer');
    await outer.write('.gitmodules', `[submodule "../../../inner"]\n\tpath = sub\n\turl = x\n`);
    await outer.git('update-index', '--add', '--cacheinfo', `160000,${id},sub`);
    await outer.git('add', '.gitmodules');
    await outer.git('commit', '--quiet', '--message', 'first');
    const sha = (await outer.git('rev-parse', 'HEAD')).trim();
    const { notes } = await checkout(outer.dir, sha, target, { submodules: 'normal' });
    expect(notes).toEqual([expect.stringContaining('without an entry in .gitmodules')]);
  });

  async function withSubmodules(): Promise<Sandbox & { sha: string }> {
    const inner = await sandboxOf('inner');
    await inner.commit('first', { b: 'inner' });
    const middle = await sandboxOf('middle');
    await middle.git(...FILE_PROTOCOL, 'submodule', '--quiet', 'add', inner.dir, 'deep');
    await middle.commit('first', { a: 'middle' });
    const outer = await sandboxOf('outer');
    await outer.git(...FILE_PROTOCOL, 'submodule', '--quiet', 'add', middle.dir, 'sub');
    await outer.git(...FILE_PROTOCOL, 'submodule', '--quiet', 'update', '--init', '--recursive');
    return { ...outer, sha: await outer.commit('first') };
  }
});

describe('large files', { timeout: 30_000 }, () => {
  const CONTENT = 'large content';
  const id = createHash('sha256').update(CONTENT).digest('hex');
  const pointer = (oid: string, size: number) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;

  const withLargeFiles = async () => {
    const sandbox = await sandboxOf();
    await sandbox.write('run.bin', pointer(id, CONTENT.length));
    await chmod(path.join(sandbox.dir, 'run.bin'), 0o755);
    const sha = await sandbox.commit('first', {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'missing.bin': pointer('0'.repeat(64), 5),
      'plain.bin': 'no pointer',
      'other.txt': pointer(id, CONTENT.length),
    });
    const folder = path.join(sandbox.dir, '.git/lfs/objects', id.slice(0, 2), id.slice(2, 4));
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, id), CONTENT);
    return { dir: sandbox.dir, sha };
  };

  it('are filled from what was fetched, and named when they were not', async () => {
    const { dir, sha } = await withLargeFiles();
    const { notes } = await checkout(dir, sha, target);
    expect(await taken('run.bin')).toBe(CONTENT);
    expect((await stat(path.join(target, 'run.bin'))).mode & 0o777).toBe(0o755);
    expect((await stat(path.join(target, 'run.bin'))).nlink).toBe(1);
    expect(await taken('plain.bin')).toBe('no pointer');
    expect(await taken('other.txt')).toBe(pointer(id, CONTENT.length));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/never fetched.*: missing\.bin \(git lfs fetch/);
    expect(await runOrThrow('git', ['status', '--porcelain'], { cwd: target })).toBe('');
  });

  it('stay pointers when the job says so', async () => {
    const { dir, sha } = await withLargeFiles();
    const { notes } = await checkout(dir, sha, target, { skipLfs: true });
    expect(notes).toEqual([]);
    expect(await taken('run.bin')).toBe(pointer(id, CONTENT.length));
  });
});

describe('checkoutWish', () => {
  it('is everything by default', () => {
    expect(checkoutWish({})).toEqual({ options: {}, notes: [] });
  });

  it('reads what a job says about its files', () => {
    const values = {
      GIT_DEPTH: '20',
      GIT_SUBMODULE_STRATEGY: 'recursive',
      GIT_LFS_SKIP_SMUDGE: '1',
    };
    expect(checkoutWish(values)).toEqual({
      options: { depth: 20, submodules: 'recursive', submoduleDepth: 20, skipLfs: true },
      notes: [],
    });
    expect(checkoutWish({ GIT_DEPTH: '0' }).options).toEqual({});
  });

  it('says what it does not understand', () => {
    const { notes } = checkoutWish({
      GIT_DEPTH: 'deep',
      GIT_SUBMODULE_STRATEGY: 'all',
      GIT_SUBMODULE_PATHS: 'a',
    });
    expect(notes.map((note) => note.split(' ', 1)[0])).toEqual([
      'GIT_DEPTH',
      'GIT_SUBMODULE_STRATEGY',
      'GIT_SUBMODULE_PATHS',
    ]);
  });
});
