import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  applyWorkTree,
  checkout,
  codes,
  findRepository,
  readCommit,
  readTree,
  uncommittedPaths,
} from './index.ts';
import { createSandbox } from './testing/sandbox.ts';

const readme = () => readFile(path.join(import.meta.dirname, '../README.md'), 'utf8');

describe('the README', { timeout: 30_000 }, () => {
  it('names every fault', async () => {
    const listed = /Faults \(`GitFault`\): ([^.]*)\./.exec(await readme())?.[1] ?? '';
    expect(listed.match(/[A-Z_]+/g)?.toSorted()).toEqual(Object.keys(codes).toSorted());
  });

  it('has an example that works', async () => {
    const example = /```ts\n([^]*?)```/.exec(await readme())?.[1] ?? '';
    const calls = [...example.matchAll(/await (\w+)\(/g)].map(([, name]) => name);
    expect(calls).toEqual([
      'findRepository',
      'readCommit',
      'readTree',
      'checkout',
      'applyWorkTree',
      'uncommittedPaths',
    ]);
    const sandbox = await createSandbox();
    try {
      await sandbox.commit('first', { 'a.yml': '1' });
      await sandbox.write('a.yml', '2');
      const target = path.join(sandbox.dir, '../target');
      const dir = await findRepository(sandbox.dir);
      const commit = await readCommit(dir);
      expect((await readTree(dir, commit.sha)).read('a.yml')).toBe('1');
      expect((await checkout(dir, commit.sha, target, { submodules: 'recursive' })).notes).toEqual([]);
      await applyWorkTree(dir, await uncommittedPaths(dir), target);
      expect(await readFile(path.join(target, 'a.yml'), 'utf8')).toBe('2');
    } finally {
      await sandbox.remove();
    }
  });
});
