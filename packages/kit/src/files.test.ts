import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diskFault, readTextIfPresent, resolveInRoot, writeFileAtomic } from './index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kit-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('writeFileAtomic', () => {
  test('writes to a device, and never puts a file in its place', async () => {
    // By a link: what would be replaced by mistake is not the machine's.
    const device = path.join(dir, 'device');
    symlinkSync('/dev/null', device);
    await writeFileAtomic(device, 'gone');
    expect(statSync(device).isCharacterDevice()).toBe(true);
    expect(readdirSync(dir)).toEqual(['device']);
  });

  test('makes folders, sets the mode, leaves nothing beside the file', async () => {
    const file = path.join(dir, 'a/b/secret');
    await writeFileAtomic(file, 'one', { mode: 0o600 });
    await writeFileAtomic(file, 'two', { mode: 0o600 });
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['secret']);
  });

  test('a write that fails leaves the old content and nothing else', async () => {
    mkdirSync(path.join(dir, 'taken'));
    await expect(writeFileAtomic(path.join(dir, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(dir)).toEqual(['taken']);
  });
});

test('a full disk is one fault with a next step; other errors stay what they are', () => {
  const full = diskFault(Object.assign(new Error('x'), { code: 'ENOSPC' }), '/a/file');
  expect(full).toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringContaining('/a/file'),
    next: expect.any(String),
  });
  const other = new Error('y');
  expect(diskFault(other, '/a/file')).toBe(other);
});

test('a file that is not there reads as undefined', async () => {
  expect(await readTextIfPresent(path.join(dir, 'no/such'))).toBeUndefined();
});

describe('resolveInRoot', () => {
  const link = (target: string, name: string) => symlinkSync(target, path.join(dir, name));

  test.each([
    ['a/b', 'a/b'],
    ['/a//b/./c', 'a/b/c'],
    ['../../etc/passwd', 'etc/passwd'],
    ['a/../../..', ''],
  ])('%s stays inside', async (target, expected) => {
    expect(await resolveInRoot(dir, target)).toBe(path.join(dir, expected));
  });

  test('absolute links start at the root, relative ones stop there', async () => {
    link('/etc', 'absolute');
    link('../../../../../etc', 'relative');
    mkdirSync(path.join(dir, 'sub'));
    link('../sub/./x', 'inside');
    expect(await resolveInRoot(dir, 'absolute/passwd')).toBe(path.join(dir, 'etc/passwd'));
    expect(await resolveInRoot(dir, 'relative/passwd')).toBe(path.join(dir, 'etc/passwd'));
    expect(await resolveInRoot(dir, 'inside')).toBe(path.join(dir, 'sub/x'));
  });

  test('links that go round are refused', async () => {
    link('two', 'one');
    link('one', 'two');
    await expect(resolveInRoot(dir, 'one/x')).rejects.toMatchObject({ code: 'TOO_MANY_LINKS' });
  });
});
