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
import { packFiles, unpackFiles } from './files.ts';
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
