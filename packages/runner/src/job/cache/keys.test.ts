import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import type { Cache } from '@updraft/gitlab-ci';
import { cacheKeys } from './keys.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const cache = (more: Partial<Cache>): Cache => ({
  key: 'default',
  fallbackKeys: [],
  paths: ['deps'],
  untracked: false,
  policy: 'pull-push',
  when: 'on_success',
  ...more,
});
const keyOf = async (more: Partial<Cache>, values = {}) => (await cacheKeys(cache(more), dir, values)).key;
const write = (name: string, text: string) => writeFileSync(path.join(dir, name), text);

test('a key is expanded; protected refs have their own, unless unprotect', async () => {
  expect(await keyOf({ key: '$A-x' }, { A: 'a' })).toBe('a-x-non_protected');
  expect(await keyOf({ key: 'k' }, { CI_COMMIT_REF_PROTECTED: 'true' })).toBe('k-protected');
  expect(await keyOf({ key: 'k', unprotect: true }, { CI_COMMIT_REF_PROTECTED: 'true' })).toBe('k');
  expect(await keyOf({ key: '$NOTHING', unprotect: true })).toBe('default');
});

test('what is looked for, in order', async () => {
  const { candidates } = await cacheKeys(cache({ key: 'k', fallbackKeys: ['$A', '$NONE', 'b'] }), dir, {
    A: 'a',
    CACHE_FALLBACK_KEY: 'last',
  });
  expect(candidates).toEqual(['k-non_protected', 'a-non_protected', 'b-non_protected', 'last']);
  const guarded = await cacheKeys(cache({ key: 'k' }), dir, { CACHE_FALLBACK_KEY: 'main-protected' });
  expect(guarded.candidates).toEqual(['k-non_protected']);
});

test('files: by their contents, with a prefix; none of them there is default', async () => {
  const files = { files: ['lock', 'other'], prefix: '$P' };
  expect(await keyOf({ key: files, unprotect: true }, { P: 'p' })).toBe('p-default');
  write('lock', 'one');
  const one = await keyOf({ key: files, unprotect: true }, { P: 'p' });
  expect(one).toMatch(/^p-[0-9a-f]{64}$/);
  write('lock', 'two');
  expect(await keyOf({ key: files, unprotect: true }, { P: 'p' })).not.toBe(one);
});

test('files are never read through links', async () => {
  symlinkSync('/etc/hostname', path.join(dir, 'lock'));
  expect(
    await keyOf({ key: { files: ['lock', '../../etc/hostname'], prefix: undefined }, unprotect: true }),
  ).toBe('default');
});

test('files_commits: by the last commits that changed them', async () => {
  const git = (...args: string[]) =>
    runOrThrow('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  await git('init', '--quiet');
  const key = { files: ['lock'], prefix: undefined, by: 'commits' as const };
  expect(await keyOf({ key, unprotect: true })).toBe('default');
  write('lock', 'one');
  await git('add', '.');
  await git('commit', '-qm', 'one');
  const one = await keyOf({ key, unprotect: true });
  write('unrelated', 'x');
  await git('add', '.');
  await git('commit', '-qm', 'two');
  expect(await keyOf({ key, unprotect: true })).toBe(one);
  write('lock', 'two');
  await git('commit', '-qam', 'three');
  expect(await keyOf({ key, unprotect: true })).not.toBe(one);
});
