import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run, runOrThrow } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitFault, checkout } from './index.ts';
import { createSandbox } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

describe('checkout', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  let target: string;
  beforeEach(async () => {
    sandbox = await createSandbox();
    target = path.join(sandbox.dir, '../target');
  });
  afterEach(() => sandbox.remove());

  it('gives the files of the commit and a history that works', async () => {
    const first = await sandbox.commit('first', { 'a.txt': '1', 'run.sh': '#!/bin/sh' });
    await sandbox.git('tag', 'v1');
    await sandbox.git('branch', 'other');
    await sandbox.commit('second', { 'a.txt': '2' });
    await sandbox.write('a.txt', 'not committed');
    await checkout(sandbox.dir, first, target);
    expect(await readFile(path.join(target, 'a.txt'), 'utf8')).toBe('1');
    expect((await readdir(target)).toSorted()).toEqual(['.git', 'a.txt', 'run.sh']);
    const inTarget = (...args: string[]) => runOrThrow('git', args, { cwd: target });
    expect(await inTarget('log', '--format=%s')).toBe('first\n');
    expect(await inTarget('status', '--porcelain')).toBe('');
    expect(await inTarget('describe', '--tags')).toBe('v1\n');
    expect(await inTarget('diff', '--name-only', 'HEAD...origin/main')).toBe('a.txt\n');
  });

  it('shares nothing with the repository and leaves it untouched', async () => {
    const sha = await sandbox.commit('first', { 'a.txt': '1' });
    const before = await snapshot(path.join(sandbox.dir, '.git'));
    await checkout(sandbox.dir, sha, target);
    expect(await snapshot(path.join(sandbox.dir, '.git'))).toEqual(before);
    for (const file of await filesOf(path.join(target, '.git'))) expect((await stat(file)).nlink).toBe(1);
    const alternates = await run('cat', [path.join(target, '.git/objects/info/alternates')]);
    expect(alternates.code).not.toBe(0);
  });

  it('runs no program that the repository names', async () => {
    const mark = path.join(sandbox.dir, '../ran');
    const sha = await sandbox.commit('first', { 'a.txt': '1', '.gitattributes': '*.txt filter=evil' });
    const hook = path.join(sandbox.dir, '.git/hooks/post-checkout');
    await writeFile(hook, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 }).catch(() => undefined);
    await sandbox.git('config', 'filter.evil.smudge', `sh -c 'touch ${mark}; cat'`);
    await sandbox.git('config', 'core.fsmonitor', `touch ${mark}`);
    await checkout(sandbox.dir, sha, target);
    await expect(stat(mark)).rejects.toThrow('ENOENT');
  });

  it('takes as much history as asked for, also from a shallow clone', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    await sandbox.commit('second', { 'a.txt': '2' });
    const third = await sandbox.commit('third', { 'a.txt': '3' });
    await checkout(sandbox.dir, third, target, { depth: 2 });
    expect(await log(target)).toBe('third\nsecond\n');
    await checkout(target, third, `${target}-again`);
    expect(await log(`${target}-again`)).toBe('third\nsecond\n');
  });

  it('leaves nothing behind when it fails', async () => {
    await sandbox.commit('first', { 'a.txt': '1' });
    for (const sha of ['f'.repeat(40), 'main', '--help']) {
      const thrown = await checkout(sandbox.dir, sha, target).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(GitFault);
      expect((thrown as GitFault).code).toBe('UNKNOWN_REF');
      await expect(stat(target)).rejects.toThrow('ENOENT');
    }
  });
});

const log = (dir: string) => runOrThrow('git', ['log', '--format=%s'], { cwd: dir });

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

async function snapshot(dir: string): Promise<unknown> {
  const files = await filesOf(dir);
  return Promise.all(files.toSorted().map(async (file) => [file, (await stat(file)).mtimeMs]));
}
