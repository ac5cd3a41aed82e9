import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanPath, compileGlob, compileIgnore } from './index.ts';

describe('compileIgnore', () => {
  test.each([
    // pattern(s), path, ignored
    ['**', 'dir/file', true],
    ['**/', 'file', true],
    ['dir/**', 'dir', false],
    ['dir/**', 'dir/a/b', true],
    ['**/dir', 'dir/file', true],
    ['**/dir2/*', 'dir/dir2/file', true],
    ['**file', 'dir/dir/file', true],
    ['**/*.txt', 'file.txt', true],
    ['a**/*.txt', 'a/dir/dir/file.txt', true],
    ['a/*.txt', 'a/dir/file.txt', false],
    ['a[b-d]e', 'ace', true],
    ['a[^b-d]e', 'ace', false],
    ['a.c', 'abc', false],
    ['/anchored/', 'anchored/below', true],
    ['node_modules', 'sub/node_modules', false],
    ['./x/../y', 'y', true],
    ['**/.foo', 'bar.foo', false],
    ['a(b)c|$', 'a(b)c|$', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['docs\n!docs/README.md', 'docs/README.md', false],
    ['docs\n!docs/README.md', 'docs/other', true],
    ['!docs/README.md\ndocs', 'docs/README.md', true],
    ['**\n!util/web', 'util/web/foo', false],
    ['**\n!util/web\nutil/web/foo', 'util/web/foo', true],
    ['# docs\n  !x  \n x ', 'x', true],
    ['\uFEFFdocs', 'docs', true],
  ])('%j, %s: %s', (text, path, ignored) => {
    expect(compileIgnore(text)(path)).toBe(ignored);
  });

  test('a malformed line is a problem and is ignored', () => {
    const ignore = compileIgnore('[\n!\nx');
    expect(ignore.problems.map(({ line }) => line)).toEqual([1, 2]);
    expect(ignore('x')).toBe(true);
  });

  test('says whether ignored folders have to be looked into', () => {
    expect(compileIgnore('a').hasExceptions).toBe(false);
    expect(compileIgnore('a\n!a/b').hasExceptions).toBe(true);
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, path) => {
        expect(typeof compileIgnore(text)(path)).toBe('boolean');
      }),
    );
  });
});

test.each([
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*', 'ab/c', false],
  ['a?b', 'a/b', false],
  ['a?b', 'a☺b', true],
  ['[\\-x]', '-', true],
  ['[x\\-]', 'z', false],
])('compileGlob %s on %s', (pattern, path, matches) => {
  expect(compileGlob(pattern)?.(path)).toBe(matches);
});

test.each(['[', '[]a]', '[-x]', '[a-b-c]', '[^bc', 'a\\'])('%s is no glob', (pattern) => {
  expect(compileGlob(pattern)).toBeUndefined();
});

test.each([
  ['./a//b/', 'a/b'],
  ['/../a', 'a'],
  ['../a/..', '..'],
  ['', '.'],
])('cleanPath(%j)', (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});
