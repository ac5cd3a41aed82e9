import { describe, expect, test } from 'vitest';
import { parseGitReference } from './reference.ts';

const COMMIT = '0123456789012345678901234567890123456789';

describe('parseGitReference', () => {
  test.each([
    ['https://h/x.git', { remote: 'https://h/x.git', ref: undefined, folder: undefined, submodules: true }],
    ['https://h/x.git#v1:a/b', { remote: 'https://h/x.git', ref: 'v1', folder: 'a/b' }],
    ['https://h/x.git#:a', { ref: undefined, folder: 'a' }],
    ['git@h:o/x.git#main', { remote: 'git@h:o/x.git', ref: 'main' }],
    ['ssh://git@h:22/x#main', { remote: 'ssh://git@h:22/x', ref: 'main' }],
    ['git://h/x', { remote: 'git://h/x' }],
    [
      'https://h/x.git?tag=v1&subdir=d&keep-git-dir=1',
      { ref: 'refs/tags/v1', folder: 'd', keepGitDir: true },
    ],
    ['https://h/x.git?branch=b&submodules=false', { ref: 'refs/heads/b', submodules: false }],
    [`https://h/x.git?checksum=${COMMIT}`, { ref: COMMIT, commit: COMMIT }],
  ])('%s', (text, expected) => {
    expect(parseGitReference(text)).toMatchObject(expected);
  });

  test.each(['https://h/x', 'https://h/x.git/file', 'x.git', './git@h:x', 'github.com/o/r', 'file:///x.git'])(
    '%s is none',
    (text) => {
      expect(parseGitReference(text)).toBeUndefined();
    },
  );

  test('a context may leave the scheme out', () => {
    expect(parseGitReference('github.com/o/r#v1', { bare: true })).toMatchObject({
      remote: 'https://github.com/o/r',
      ref: 'v1',
    });
  });

  test.each([
    ['https://h/x.git?ref=a#b', 'ref is both b and a'],
    ['https://h/x.git?tag=a&branch=b', 'ref is both'],
    ['https://h/x.git?what=a', 'the query what is not known'],
    ['https://h/x.git?ref=', 'has no value'],
    ['https://h/x.git?ref=a&ref=b', 'given twice'],
    ['https://h/x.git?submodules=perhaps', 'true or false'],
  ])('%s', (text, message) => {
    expect(() => parseGitReference(text)).toThrow(message);
  });
});
