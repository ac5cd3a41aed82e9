import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archivedNames, packFiles, unpackFiles } from './files.ts';
import { selectFiles } from './selection.ts';

let dir: string;
let workspace: string;
const at = (...parts: string[]) => path.join(workspace, ...parts);
const write = (file: string, content = file) => {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), content);
};
const select = async (paths: string[], exclude: string[] = []) =>
  (await selectFiles(workspace, { paths, exclude, untracked: [] })).files;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'files-'));
  workspace = path.join(dir, 'workspace');
  mkdirSync(workspace);
  for (const file of ['a.txt', 'out/b.txt', 'out/deep/c.log', 'out/.hidden', 'other/d.txt']) write(file);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('selectFiles', () => {
  test('a folder takes all below it, with and without a slash', async () => {
    const all = ['out/.hidden', 'out/b.txt', 'out/deep/c.log'];
    expect(await select(['out/'])).toEqual(all);
    expect(await select(['out'])).toEqual(all);
    expect(await select(['./out/'])).toEqual(all);
  });

  test('patterns: one level, any depth, folders', async () => {
    expect(await select(['*.txt'])).toEqual(['a.txt']);
    expect(await select(['**/*.txt'])).toEqual(['a.txt', 'other/d.txt', 'out/b.txt']);
    expect(await select(['o*'])).toEqual(['other/d.txt', 'out/.hidden', 'out/b.txt', 'out/deep/c.log']);
  });

  test('exclude takes away; a folder’s name alone does not reach into it', async () => {
    expect(await select(['out'], ['out/**/*.log'])).toEqual(['out/.hidden', 'out/b.txt']);
    expect(await select(['out'], ['out/deep/'])).toContain('out/deep/c.log');
  });

  test('exclude: the folder’s pattern as GitLab documents it', async () => {
    expect(await select(['out/'], ['out/'])).toHaveLength(3);
    expect(await select(['out/'], ['out/*'])).toEqual(['out/deep/c.log']);
    expect(await select(['out/'], ['out/**/*'])).toEqual([]);
    expect(await select(['out/'], ['**/*.txt', '**/.h*'])).toEqual(['out/deep/c.log']);
  });

  test('braces, classes and parentheses in names', async () => {
    for (const file of ['x (1)/a.js', 'src/[id].ts', 'src/b.ts', 'src/c.md']) write(file);
    expect(await select(['x (1)/*.js'])).toEqual(['x (1)/a.js']);
    expect(await select(['src/{b,c}.{ts,md}'])).toEqual(['src/b.ts', 'src/c.md']);
    expect(await select(['src/[bc].*'])).toEqual(['src/b.ts', 'src/c.md']);
    expect(await select([String.raw`src/\[id\].ts`])).toEqual(['src/[id].ts']);
  });

  test('the whole project, in each way to say it', async () => {
    const all = await select(['**/*']);
    expect(all).toHaveLength(5);
    for (const pattern of ['.', './', '*', '/builds/p', '/builds/p/']) {
      const { files } = await selectFiles(workspace, {
        paths: [pattern],
        exclude: [],
        untracked: [],
        projectDir: '/builds/p',
      });
      expect(files, pattern).toEqual(all);
    }
  });

  test('absolute paths are those of the job’s project folder, or lie outside', async () => {
    const selection = { exclude: ['/builds/p/out/deep/*'], untracked: [], projectDir: '/builds/p' };
    const paths = ['/builds/p/out', '/etc/passwd', '/builds/p/../x', '/builds/pp'];
    const { files, missing, outside } = await selectFiles(workspace, { ...selection, paths });
    expect(files).toEqual(['out/.hidden', 'out/b.txt']);
    expect(missing).toEqual([]);
    expect(outside).toEqual(['/etc/passwd', '/builds/p/../x', '/builds/pp']);
  });

  test('empty folders are kept; names that are no UTF-8 are counted', async () => {
    mkdirSync(at('out/empty'));
    writeFileSync(Buffer.concat([Buffer.from(`${at('out')}/`), Buffer.from([0xff])]), 'x');
    const selected = await selectFiles(workspace, { paths: ['out'], exclude: ['**/*.txt'], untracked: [] });
    expect(selected.files).toEqual(['out/.hidden', 'out/deep/c.log', 'out/empty/']);
    expect(selected.unnameable).toBe(1);
  });

  test('untracked files are never outside', async () => {
    const untracked = ['a.txt', '../x', '/etc/passwd', 'out/../../x'];
    const { files } = await selectFiles(workspace, { paths: [], exclude: [], untracked });
    expect(files).toEqual(['a.txt']);
  });

  test('what matches nothing is named', async () => {
    const { missing } = await selectFiles(workspace, { paths: ['nope', 'out'], exclude: [], untracked: [] });
    expect(missing).toEqual(['nope']);
  });

  test('never leaves the workspace: not by .., not through a link', async () => {
    writeFileSync(path.join(dir, 'secret.txt'), 'x');
    symlinkSync(dir, at('link'));
    expect(await select(['../secret.txt', 'link/secret.txt', 'link/*.txt'])).toEqual([]);
    expect(await select(['link'])).toEqual(['link']);
  });
});

describe('archives', () => {
  test('what goes in comes out', async () => {
    const archive = path.join(dir, 'keep/a.tar');
    await packFiles(workspace, ['out/b.txt', 'out/.hidden'], archive);
    const target = path.join(dir, 'target');
    mkdirSync(target);
    expect(await unpackFiles(archive, target)).toEqual({ leftOut: 0 });
    expect(readFileSync(path.join(target, 'out/b.txt'), 'utf8')).toBe('out/b.txt');
    expect(readdirSync(path.join(target, 'out')).toSorted()).toEqual(['.hidden', 'b.txt']);
  });

  test('any name comes out as it went in', async () => {
    const names = ['new\nline', 'back\\slash', 'tab\t', 'ünï 🚀', '-dash', 'a\\012b'].toSorted();
    for (const name of names) write(name);
    const archive = path.join(dir, 'a.tar');
    await packFiles(workspace, names, archive);
    expect((await archivedNames(archive)).toSorted()).toEqual(names.map((name) => `./${name}`));
    const target = path.join(dir, 'target');
    mkdirSync(target);
    await unpackFiles(archive, target);
    expect(readdirSync(target).toSorted()).toEqual(names);
  });

  test('an entry whose way leads through a link is left out', async () => {
    const archive = path.join(dir, 'a.tar');
    await packFiles(workspace, ['out/b.txt', 'a.txt'], archive);
    const target = path.join(dir, 'target');
    const outside = path.join(dir, 'outside');
    mkdirSync(target);
    mkdirSync(outside);
    symlinkSync(outside, path.join(target, 'out'));
    expect(await unpackFiles(archive, target)).toEqual({ leftOut: 1 });
    expect(existsSync(path.join(outside, 'b.txt'))).toBe(false);
    expect(existsSync(path.join(target, 'a.txt'))).toBe(true);
  });
});
