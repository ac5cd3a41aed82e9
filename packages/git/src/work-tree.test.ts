import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyWorkTree, checkout, isDirty, readWorkTree, uncommittedPaths, workTreeKey } from './index.ts';
import { createSandbox, snapshotOf } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

const ODD = ['line\nbreak.txt', '"quoted" $HOME.txt', 'ü🚀 space.txt', '-dash.txt', 'back\\slash.txt'];

describe('the work tree', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  let target: string;
  const at = (file: string) => path.join(sandbox.dir, file);
  beforeEach(async () => {
    sandbox = await createSandbox();
    target = path.join(sandbox.dir, '../target');
  });
  afterEach(() => sandbox.remove());

  /** What a job would get. */
  const take = async () => {
    const sha = (await sandbox.git('rev-parse', 'HEAD')).trim();
    await checkout(sandbox.dir, sha, target);
    await applyWorkTree(sandbox.dir, await uncommittedPaths(sandbox.dir), target);
  };
  const taken = (file: string) => readFile(path.join(target, file), 'utf8');

  it('is taken with every kind of change', async () => {
    const files = ['changed', 'staged', 'gone', 'gone-staged', 'renamed', 'mode', 'becomes-folder', 'kept'];
    await sandbox.commit('first', {
      ...Object.fromEntries(files.map((name) => [name, name])),
      'becomes-file/a': '1',
      '.gitignore': 'ignored\n',
    });
    await sandbox.write('changed', 'new');
    await sandbox.write('staged', 'new');
    await sandbox.git('add', 'staged');
    await unlink(at('gone'));
    await sandbox.git('rm', '--quiet', 'gone-staged');
    await sandbox.git('mv', 'renamed', 'moved');
    await chmod(at('mode'), 0o755);
    await unlink(at('becomes-folder'));
    await sandbox.write('becomes-folder/inside', '1');
    await runOrThrow('rm', ['-r', at('becomes-file')]);
    await sandbox.write('becomes-file', 'file');
    await sandbox.write('ignored', 'no');
    await sandbox.write('deep/new file', 'new');
    await symlink('/etc/hostname', at('link'));
    for (const name of ODD) await sandbox.write(name, name);
    await sandbox.write('nested/a', '1');
    await runOrThrow('git', ['init', '--quiet', at('nested')]);

    expect(await uncommittedPaths(path.join(sandbox.dir, 'deep'))).toEqual(
      [
        'becomes-file',
        'becomes-file/a',
        'becomes-folder',
        'becomes-folder/inside',
        'changed',
        'deep/new file',
        'gone',
        'gone-staged',
        'link',
        'mode',
        'moved',
        'renamed',
        'staged',
        ...ODD,
      ].toSorted(),
    );
    await take();
    expect([
      await taken('changed'),
      await taken('staged'),
      await taken('moved'),
      await taken('kept'),
    ]).toEqual(['new', 'new', 'renamed', 'kept']);
    for (const name of ['gone', 'gone-staged', 'renamed', 'ignored', 'nested']) {
      await expect(lstat(path.join(target, name))).rejects.toThrow('ENOENT');
    }
    expect((await stat(path.join(target, 'mode'))).mode & 0o777).toBe(0o755);
    expect(await taken('becomes-folder/inside')).toBe('1');
    expect(await taken('becomes-file')).toBe('file');
    expect(await taken('deep/new file')).toBe('new');
    expect(await readlink(path.join(target, 'link'))).toBe('/etc/hostname');
    for (const name of ODD) expect(await taken(name)).toBe(name);
  });

  it('is looked at without writing to it, and without starting what its settings name', async () => {
    const mark = path.join(sandbox.dir, '../ran');
    await sandbox.commit('first', { a: '1', b: '1', '.gitattributes': 'a filter=evil\nb filter=x=y.z\n' });
    for (const name of ['evil', 'x=y.z']) {
      await sandbox.git('config', `filter.${name}.clean`, `sh -c 'touch ${mark}; cat'`);
      await sandbox.git('config', `filter.${name}.process`, `touch ${mark}`);
      await sandbox.git('config', `filter.${name}.required`, 'true');
    }
    await sandbox.git('config', 'core.fsmonitor', `touch ${mark}`);
    await writeFile(at('a'), '2');
    await writeFile(at('b'), '2');
    const before = await snapshotOf(sandbox.dir);
    await take();
    await readWorkTree(sandbox.dir);
    await expect(lstat(mark)).rejects.toThrow('ENOENT');
    expect(await snapshotOf(sandbox.dir)).toEqual(before);
    expect([await taken('a'), await taken('b')]).toEqual(['2', '2']);
  });

  it('never writes through a link that the commit has where the work tree has a folder', async () => {
    const outside = path.join(sandbox.dir, '../outside');
    await mkdir(outside);
    await writeFile(path.join(outside, 'file'), 'mine');
    await symlink(outside, at('folder'));
    await sandbox.commit('first');
    await unlink(at('folder'));
    await sandbox.write('folder/file', 'theirs');
    await take();
    expect(await readFile(path.join(outside, 'file'), 'utf8')).toBe('mine');
    expect(await taken('folder/file')).toBe('theirs');
    await applyWorkTree(sandbox.dir, ['../outside/file', '.git/config', 'folder/../../outside/file'], target);
    expect(await readFile(path.join(outside, 'file'), 'utf8')).toBe('mine');
    expect(await taken('.git/config')).not.toBe('');
  });

  it.each([0, 1, 1024 * 1024 - 1, 1024 * 1024, 2 * 1024 * 1024 + 1])(
    'is copied byte by byte: %d',
    async (size) => {
      await sandbox.commit('first');
      const content = Buffer.alloc(size, 'abcdefg');
      await writeFile(at('large'), content);
      await take();
      expect((await readFile(path.join(target, 'large'))).equals(content)).toBe(true);
    },
  );

  it('is copied while it is written to', async () => {
    await sandbox.commit('first');
    await writeFile(at('log'), 'line\n'.repeat(200_000));
    const paths = await uncommittedPaths(sandbox.dir);
    await mkdir(target);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await appendFile(at('log'), 'line\n');
    })();
    await applyWorkTree(sandbox.dir, paths, target);
    isOver = true;
    await writing;
    expect(await taken('log')).toMatch(/^(?:line\n)+$/);
  });

  it('leaves out what is neither file nor link', async () => {
    await sandbox.commit('first', { pipe: '1', 'folder/a': '1' });
    await unlink(at('pipe'));
    await runOrThrow('mkfifo', [at('pipe')]);
    await rename(at('folder'), path.join(sandbox.dir, '../moved'));
    await symlink('../moved', at('folder'));
    await take();
    await expect(lstat(path.join(target, 'pipe'))).rejects.toThrow('ENOENT');
    expect(await readlink(path.join(target, 'folder'))).toBe('../moved');
  });

  it('shows the working folder as it is, and never follows a link out of it', async () => {
    await sandbox.commit('first', { 'a.yml': 'old', 'gone.yml': 'x', '.gitignore': 'ignored.yml' });
    await sandbox.write('a.yml', 'new');
    await sandbox.write('new.yml', 'untracked');
    await sandbox.write('ignored.yml', 'no');
    await unlink(at('gone.yml'));
    await symlink('/etc/hostname', at('outside.yml'));
    const tree = await readWorkTree(sandbox.dir);
    expect([...tree.list()].toSorted()).toEqual(['.gitignore', 'a.yml', 'new.yml', 'outside.yml']);
    expect(tree.read('a.yml')).toBe('new');
    expect(tree.read('new.yml')).toBe('untracked');
    expect(tree.read('outside.yml')).toBeUndefined();
  });

  it('tells whether there is something uncommitted', async () => {
    await sandbox.commit('first', { 'a.yml': 'old' });
    expect(await isDirty(sandbox.dir)).toBe(false);
    await sandbox.write('b.yml', 'new');
    expect(await isDirty(sandbox.dir)).toBe(true);
  });

  it('has a name of its own for every state', async () => {
    await sandbox.commit('first', { a: '1' });
    const key = async () => workTreeKey(sandbox.dir, await uncommittedPaths(sandbox.dir));
    const keys = [await key()];
    for (const content of ['2', '3']) {
      await sandbox.write('a', content);
      keys.push(await key());
    }
    await chmod(at('a'), 0o755);
    keys.push(await key());
    await unlink(at('a'));
    keys.push(await key());
    await symlink('x', at('a'));
    keys.push(await key());
    expect(new Set(keys).size).toBe(keys.length);
    expect(await key()).toBe(keys.at(-1));
  });

  it('is the commit where a sparse checkout leaves files out', async () => {
    await sandbox.commit('first', { 'in/a.yml': 'a', 'out/b.yml': 'b' });
    await sandbox.git('sparse-checkout', 'set', 'in');
    await expect(lstat(at('out/b.yml'))).rejects.toThrow('ENOENT');
    expect(await uncommittedPaths(sandbox.dir)).toEqual([]);
    const files = await readWorkTree(sandbox.dir);
    expect(files.list()).toEqual(['in/a.yml', 'out/b.yml']);
    expect(files.read('out/b.yml')).toBe('b');
    await take();
    expect(await taken('out/b.yml')).toBe('b');
  });

  it('is all there is before the first commit', async () => {
    await sandbox.write('.gitlab-ci.yml', 'a: 1');
    await sandbox.git('add', '.gitlab-ci.yml');
    await sandbox.write('b.yml', 'b');
    const files = await readWorkTree(sandbox.dir);
    expect(files.list()).toEqual(['.gitlab-ci.yml', 'b.yml']);
    expect(files.read('b.yml')).toBe('b');
  });
});
