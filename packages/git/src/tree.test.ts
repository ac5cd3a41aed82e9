import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedFiles, findRepository, readTree } from './index.ts';
import { createSandbox } from './testing/sandbox.ts';
import type { Sandbox } from './testing/sandbox.ts';

describe('trees', { timeout: 30_000 }, () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await createSandbox();
  });
  afterEach(() => sandbox.remove());

  it('lists a commit and reads its YAML, whatever the names', async () => {
    const names = [
      '.gitlab-ci.yml',
      'ci/with space.yaml',
      'ci/line\nbreak.yml',
      'ci/"quote" ü🚀.yml',
      'README.md',
    ];
    const sha = await sandbox.commit(
      'first',
      Object.fromEntries(names.map((name) => [name, `# ${name}\nü: 1\n`])),
    );
    await sandbox.write('.gitlab-ci.yml', 'changed: later');
    const tree = await readTree(sandbox.dir, sha);
    expect([...tree.list()].toSorted()).toEqual(names.toSorted());
    for (const name of names.slice(0, 4)) expect(tree.read(name)).toBe(`# ${name}\nü: 1\n`);
    expect(tree.read('README.md')).toBeUndefined();
    expect(tree.read('missing.yml')).toBeUndefined();
  });

  it('reads empty files and files with the same content', async () => {
    const sha = await sandbox.commit('first', { 'a.yml': '', 'b.yml': 'x', 'c.yml': 'x' });
    const tree = await readTree(sandbox.dir, sha);
    expect([tree.read('a.yml'), tree.read('b.yml'), tree.read('c.yml')]).toEqual(['', 'x', 'x']);
  });

  it('names what changed between commits, old names too', async () => {
    const from = await sandbox.commit('first', { 'a b.txt': '1\n2\n3\n4\n', 'c.txt': 'x' });
    await sandbox.git('mv', 'a b.txt', 'd.txt');
    const to = await sandbox.commit('second');
    expect(await changedFiles(sandbox.dir, from, to)).toEqual(['a b.txt', 'd.txt']);
    expect(await changedFiles(sandbox.dir, '0'.repeat(40), to)).toBeUndefined();
    expect(await changedFiles(sandbox.dir, 'f'.repeat(40), to)).toBeUndefined();
    expect(await changedFiles(sandbox.dir, '--output=/tmp/x', to)).toBeUndefined();
  });

  it('finds the top folder from below', async () => {
    await sandbox.commit('first', { 'deep/er/a.txt': '1' });
    expect(await findRepository(path.join(sandbox.dir, 'deep/er'))).toBe(sandbox.dir);
  });
});
