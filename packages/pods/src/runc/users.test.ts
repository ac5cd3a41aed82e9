import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnknownUser, findIdentity } from './users.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'updraft-users-'));
  await mkdir(path.join(root, 'etc'));
  const passwd = [
    'root:x:0:0:root:/root:/bin/sh',
    'app:x:1001:1002::/home/app:',
    '77:x:78:79::/:',
    '# comment',
    'broken',
    'neg:x:-5:0::/:',
    '',
  ];
  await writeFile(path.join(root, 'etc/passwd'), passwd.join('\n'));
  await writeFile(path.join(root, 'etc/group'), 'app:x:1002:\nextra:x:1003:other,app\nbad:x:nan:app\n');
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('who a container runs as', () => {
  it.each([
    ['', { uid: 0, gid: 0, groups: [], home: '/root' }],
    ['app', { uid: 1001, gid: 1002, groups: [1003], home: '/home/app' }],
    ['1001', { uid: 1001, gid: 1002, groups: [1003], home: '/home/app' }],
    ['app:extra', { uid: 1001, gid: 1003, groups: [], home: '/home/app' }],
    ['app:5', { uid: 1001, gid: 5, groups: [], home: '/home/app' }],
    ['12345', { uid: 12345, gid: 0, groups: [], home: undefined }],
    ['12345:6', { uid: 12345, gid: 6, groups: [], home: undefined }],
    ['77', { uid: 78, gid: 79, groups: [], home: '/' }],
  ])('%j', async (user, identity) => expect(await findIdentity(root, user)).toEqual(identity));

  it.each(['ghost', 'app:ghosts', 'neg', '-1', '99999999999', 'broken'])('%j is unknown', async (user) => {
    await expect(findIdentity(root, user)).rejects.toBeInstanceOf(UnknownUser);
  });

  it('is not looked up outside the image', async () => {
    const hostile = path.join(root, 'hostile');
    await mkdir(path.join(hostile, 'etc'), { recursive: true });
    await symlink(path.join(root, 'etc/passwd'), path.join(hostile, 'etc/passwd'));
    await symlink('../'.repeat(20) + root.slice(1) + '/etc/group', path.join(hostile, 'etc/group'));
    await expect(findIdentity(hostile, 'app')).rejects.toBeInstanceOf(UnknownUser);
    await expect(findIdentity(hostile, '0:extra')).rejects.toBeInstanceOf(UnknownUser);
  });

  it('is asked of regular files only', async () => {
    const odd = path.join(root, 'odd');
    await mkdir(path.join(odd, 'etc/passwd'), { recursive: true });
    expect(await findIdentity(odd, '5')).toMatchObject({ uid: 5 });
  });
});
