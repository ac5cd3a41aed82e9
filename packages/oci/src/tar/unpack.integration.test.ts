import { runOrThrow } from '@updraft/kit';
import { lstat, mkdir, mkdtemp, open, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeTar } from '../testing/index.ts';
import type { TarMember } from '../testing/index.ts';
import { packLayer } from './pack.ts';
import { paxRecord } from './pax.ts';
import { unpackLayer } from './unpack.ts';
import { encodeHeader, endOfArchive, plainEntry } from './writer.ts';

/** A folder with a secret beside the one that is unpacked into, and what it held before. */
let outside: string;
let folder: string;

beforeEach(async () => {
  outside = await mkdtemp(path.join(tmpdir(), 'updraft-unpack-'));
  folder = path.join(outside, 'layer');
  await mkdir(folder);
  await mkdir(path.join(outside, 'victim'));
  await writeFile(path.join(outside, 'victim/secret'), 'untouched', { mode: 0o600 });
});
afterEach(() => rm(outside, { recursive: true, force: true }));

async function unpack(members: readonly TarMember[], limits?: { maxEntries: number; maxBytes: number }) {
  await unpackLayer(Readable.from([makeTar(members)]), folder, limits);
}

async function text(file: string): Promise<string> {
  return await readFile(path.join(folder, file), 'utf8');
}

describe('what tries to get out', () => {
  const up = '../victim';
  const HOSTILE: readonly [string, readonly TarMember[]][] = [
    ['a name with ..', [{ path: `${up}/secret`, content: 'owned' }]],
    ['.. in the middle', [{ path: `a/../../victim/secret`, content: 'owned' }]],
    ['a folder named ..', [{ path: '..', type: 'folder', mode: 0o777 }]],
    [
      'through a link upwards',
      [
        { path: 'l', type: 'symlink', linkPath: up },
        { path: 'l/secret', content: 'owned' },
      ],
    ],
    [
      'through an absolute link',
      [
        { path: 'l', type: 'symlink', linkPath: '@/victim' },
        { path: 'l/secret', content: 'owned' },
      ],
    ],
    [
      'through a chain of links',
      [
        { path: 'a', type: 'symlink', linkPath: '.' },
        { path: 'a/b', type: 'symlink', linkPath: '..' },
        { path: 'b/victim/secret', content: 'owned' },
      ],
    ],
    [
      'through a link to the root',
      [
        { path: 'l', type: 'symlink', linkPath: '/' },
        { path: 'l@/victim/secret', content: 'owned' },
      ],
    ],
    [
      'over a link to a file',
      [
        { path: 'l', type: 'symlink', linkPath: `${up}/secret` },
        { path: 'l', content: 'owned' },
      ],
    ],
    ['a hard link upwards', [{ path: 'h', type: 'hardLink', linkPath: `${up}/secret` }]],
    [
      'an absolute hard link',
      [
        { path: 'h', type: 'hardLink', linkPath: '@/victim/secret' },
        { path: 'h', content: 'owned' },
      ],
    ],
    [
      'a hard link through a link',
      [
        { path: 'l', type: 'symlink', linkPath: up },
        { path: 'h', type: 'hardLink', linkPath: 'l/secret' },
        { path: 'h', content: 'owned' },
      ],
    ],
    [
      'a hard link to a link, then through it',
      [
        { path: 'l', type: 'symlink', linkPath: up },
        { path: 'h', type: 'hardLink', linkPath: 'l' },
        { path: 'h/secret', content: 'owned' },
      ],
    ],
    [
      'a folder on a link, then into it',
      [
        { path: 'l', type: 'symlink', linkPath: up },
        { path: 'l', type: 'folder', mode: 0o777 },
        { path: 'l/secret', content: 'owned' },
      ],
    ],
    [
      'a folder that becomes a link',
      [
        { path: 'd', type: 'folder' },
        { path: 'd', type: 'symlink', linkPath: up },
        { path: 'd/secret', content: 'owned' },
      ],
    ],
    [
      'a folder with content that becomes a link',
      [
        { path: 'd/file', content: 'x' },
        { path: 'd', type: 'symlink', linkPath: up },
        { path: 'd/secret', content: 'owned' },
      ],
    ],
    ['a whiteout of ..', [{ path: '.wh...' }]],
    ['a whiteout of nothing', [{ path: 'a/.wh.' }]],
    ['a whiteout through a link', [{ path: 'l', type: 'symlink', linkPath: up }, { path: 'l/.wh.secret' }]],
    [
      'an opaque mark through a link',
      [{ path: 'l', type: 'symlink', linkPath: up }, { path: 'l/.wh..wh..opq' }],
    ],
    [
      'a whiteout below a folder that becomes a link',
      [{ path: 'd/.wh.secret' }, { path: 'd', type: 'symlink', linkPath: up }],
    ],
    [
      'the root as a link',
      [
        { path: '.', type: 'symlink', linkPath: up },
        { path: 'secret', content: 'owned' },
      ],
    ],
    [
      'a loop of links',
      [
        { path: 'l', type: 'symlink', linkPath: 'l' },
        { path: 'l/x', content: 'x' },
      ],
    ],
    [
      'tar’s own options in names',
      [
        { path: '--checkpoint-action=exec=touch victim', content: 'x' },
        { path: '-C', content: 'x' },
      ],
    ],
  ];

  test.each(HOSTILE)('%s', async (_what, members) => {
    const real = members.map((member) => ({
      ...member,
      path: member.path.replace('@', outside),
      ...(member.linkPath !== undefined && { linkPath: member.linkPath.replace('@', outside) }),
    }));
    // Refused or unpacked inside: both are fine, as long as nothing outside was touched.
    await unpack(real).catch((error: unknown) => expect(error).toMatchObject({ code: 'LAYER_INVALID' }));
    expect(await readFile(path.join(outside, 'victim/secret'), 'utf8')).toBe('untouched');
    expect(await readdir(path.join(outside, 'victim'))).toEqual(['secret']);
    expect((await readdir(outside)).toSorted()).toEqual(['layer', 'victim']);
    const secret = await lstat(path.join(outside, 'victim/secret'));
    expect([secret.nlink, secret.mode & 0o777]).toEqual([1, 0o600]);
    expect((await lstat(path.join(outside, 'victim'))).mode & 0o777).toBe(0o755);
  });

  test('entries below a link lie where the link leads inside the image', async () => {
    await unpack([
      { path: 'usr/bin', type: 'folder' },
      { path: 'bin', type: 'symlink', linkPath: 'usr/bin' },
      { path: 'abs', type: 'symlink', linkPath: '/usr/../../usr' },
      { path: 'bin/tool', content: 'tool' },
      { path: '/abs/bin/other', content: 'other' },
    ]);
    expect([await text('usr/bin/tool'), await text('usr/bin/other')]).toEqual(['tool', 'other']);
    expect(await readlink(path.join(folder, 'bin'))).toBe('usr/bin');
    expect(await readlink(path.join(folder, 'abs'))).toBe('/usr/../../usr');
  });

  test('limits hold', async () => {
    const limits = { maxEntries: 10, maxBytes: 100 };
    const many = Array.from({ length: 11 }, (_, index) => ({ path: `f${index}` }));
    await expect(unpack(many, limits)).rejects.toMatchObject({ code: 'LAYER_TOO_LARGE' });
    await expect(unpack([{ path: 'f', content: 'x'.repeat(101) }], limits)).rejects.toMatchObject({
      code: 'LAYER_TOO_LARGE',
    });
    const deep = [{ path: Array.from({ length: 11 }, () => 'd').join('/') }];
    await expect(unpack(deep, limits)).rejects.toMatchObject({ code: 'LAYER_TOO_LARGE' });
  });

  test.each([
    ['cut off', (tar: Buffer) => tar.subarray(0, 700)],
    ['cut in a header', (tar: Buffer) => tar.subarray(0, 100)],
    ['not a tar', () => Buffer.alloc(2048, 'x')],
    ['a damaged header', (tar: Buffer) => Buffer.concat([Buffer.from('?'), tar.subarray(1)])],
  ])('an archive that is %s is refused', async (_what, damage) => {
    const tar = damage(makeTar([{ path: 'file', content: 'x'.repeat(1000) }]));
    await expect(unpackLayer(Readable.from([tar]), folder)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });
});

describe('what has to arrive as it was', () => {
  test('owners, modes, times, devices, links and attributes', async () => {
    await unpack([
      { path: 'dir', type: 'folder', mode: 0o1777, uid: 7, gid: 8, mtime: 1000 },
      { path: 'dir/suid', content: 'x', mode: 0o4755, uid: 3_000_000, gid: 5, mtime: 1234.5 },
      { path: 'dir/hard', type: 'hardLink', linkPath: 'dir/suid' },
      { path: 'fifo', type: 'fifo' },
      { path: 'null', type: 'char', deviceMajor: 1, deviceMinor: 3, mode: 0o666 },
      { path: 'with\nnewline and ümlaut', content: 'name' },
      { path: `${'long/'.repeat(40)}name`, content: 'deep' },
      {
        path: 'cap',
        content: 'x',
        xattrs: { 'user.note': 'kept', 'trusted.overlay.redirect': '/etc', 'trusted.overlay.opaque': 'y' },
      },
    ]);
    const suid = await lstat(path.join(folder, 'dir/suid'));
    expect([suid.mode & 0o7777, suid.uid, suid.gid, suid.mtimeMs, suid.nlink]).toEqual([
      0o4755, 3_000_000, 5, 1_234_500, 2,
    ]);
    const dir = await lstat(path.join(folder, 'dir'));
    expect([dir.mode & 0o7777, dir.uid, dir.gid, dir.mtimeMs]).toEqual([0o1777, 7, 8, 1_000_000]);
    expect((await lstat(path.join(folder, 'fifo'))).isFIFO()).toBe(true);
    const device = await lstat(path.join(folder, 'null'));
    expect([device.isCharacterDevice(), device.rdev]).toEqual([true, 0x103]);
    expect(await text('with\nnewline and ümlaut')).toBe('name');
    expect(await text(`${'long/'.repeat(40)}name`)).toBe('deep');
    const attributes = await runOrThrow('getfattr', [
      '-d',
      '-m',
      '-',
      '--absolute-names',
      path.join(folder, 'cap'),
    ]);
    expect(attributes).toContain('user.note="kept"');
    expect(attributes).not.toContain('overlay');
  });

  test.each([
    ['GNU’s own format', ['--format=gnu']],
    ['PAX 0.0', ['--format=posix', '--sparse-version=0.0']],
    ['PAX 0.1', ['--format=posix', '--sparse-version=0.1']],
    ['PAX 1.0', ['--format=posix', '--sparse-version=1.0']],
  ])('files with holes, in %s', async (_what, format) => {
    const source = path.join(outside, 'source');
    await mkdir(source);
    const name = `${'long/'.repeat(30)}holes`;
    await mkdir(path.join(source, path.dirname(name)), { recursive: true });
    const file = await open(path.join(source, name), 'w');
    // More pieces than fit into a header, into one block after it, and into one block of text.
    for (let index = 0; index < 60; index += 1) await file.write(`piece ${index}`, index * 100_000);
    await file.truncate(20_000_000);
    await file.close();
    await writeFile(path.join(source, 'plain'), 'plain');
    await runOrThrow('setfattr', ['-n', 'user.note', '-v', 'kept', path.join(source, name)]);
    const options = [
      '-c',
      '--sparse',
      '--xattrs',
      ...format,
      '-f',
      path.join(outside, 'tar'),
      '-C',
      source,
      '.',
    ];
    await runOrThrow(
      'tar',
      format[0] === '--format=gnu' ? options.filter((option) => option !== '--xattrs') : options,
    );
    const archive = await readFile(path.join(outside, 'tar'));
    expect(archive.length).toBeLessThan(2_000_000);
    for (const pieceBytes of [archive.length, 700]) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      const pieces = Array.from({ length: Math.ceil(archive.length / pieceBytes) }, (_, index) =>
        archive.subarray(index * pieceBytes, (index + 1) * pieceBytes),
      );
      await unpackLayer(Readable.from(pieces), folder);
      expect((await readFile(path.join(folder, name))).equals(await readFile(path.join(source, name)))).toBe(
        true,
      );
      expect((await lstat(path.join(folder, name))).blocks * 512).toBeLessThan(2_000_000);
      expect(await text('plain')).toBe('plain');
    }
    if (format[0] === '--format=gnu') return;
    const note = await runOrThrow('getfattr', ['-n', 'user.note', '--only-values', path.join(folder, name)]);
    expect(note).toBe('kept');
  });

  test('file names that are not UTF-8', async () => {
    const tar = makeTar([{ path: 'nameX', content: 'x' }]);
    // 'nameX' with a byte that is no UTF-8, and the checksum that goes with it.
    const raw = Buffer.from(tar);
    raw[4] = 0xff;
    const sum = Number.parseInt(raw.toString('latin1', 148, 154), 8) - 'X'.charCodeAt(0) + 0xff;
    raw.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
    await unpackLayer(Readable.from([raw]), folder);
    const [name] = await readdir(Buffer.from(folder), { encoding: 'buffer' });
    expect(name).toEqual(Buffer.from('name\xff', 'latin1'));
  });

  test('parent folders that the archive leaves out are plain, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      await unpack([{ path: 'etc/app/conf', content: 'x' }]);
    } finally {
      process.umask(before);
    }
    for (const name of ['', 'etc', 'etc/app']) {
      const status = await lstat(path.join(folder, name));
      expect([status.mode & 0o7777, status.uid]).toEqual([0o755, 0]);
    }
    expect((await lstat(path.join(folder, 'etc'))).mtimeMs).toBe(0);
  });

  test('whiteouts and opaque folders become overlayfs’ own, and leave the folder’s time alone', async () => {
    await unpack([
      { path: 'dir', type: 'folder', mtime: 500 },
      { path: 'dir/.wh.gone' },
      { path: 'dir/.wh.replaced' },
      { path: 'dir/replaced', content: 'new' },
      { path: '.wh.again' },
      { path: 'again', type: 'folder' },
      { path: 'opaque/.wh..wh..opq' },
      { path: 'opaque/own', content: 'own' },
      { path: '.wh..wh.plnk/1', content: 'aufs' },
    ]);
    const gone = await lstat(path.join(folder, 'dir/gone'));
    expect([gone.isCharacterDevice(), gone.rdev]).toEqual([true, 0]);
    expect((await lstat(path.join(folder, 'dir'))).mtimeMs).toBe(500_000);
    expect(await text('dir/replaced')).toBe('new');
    for (const name of ['again', 'opaque']) {
      const file = path.join(folder, name);
      const value = await runOrThrow('getfattr', [
        '-n',
        'trusted.overlay.opaque',
        '--only-values',
        '--absolute-names',
        file,
      ]);
      expect([name, value]).toEqual([name, 'y']);
    }
    expect(await readdir(path.join(folder, 'opaque'))).toEqual(['own']);
  });

  test('a real overlay hides what a layer takes away', async () => {
    const lower = path.join(outside, 'lower');
    const merged = path.join(outside, 'merged');
    await mkdir(path.join(lower, 'dir'), { recursive: true });
    await mkdir(merged);
    for (const name of ['gone', 'dir/old', 'kept']) await writeFile(path.join(lower, name), name);
    await unpack([
      { path: '.wh.gone' },
      { path: 'dir', type: 'folder' },
      { path: 'dir/.wh..wh..opq' },
      { path: 'dir/new' },
    ]);
    await runOrThrow('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${folder}:${lower}`, merged]);
    try {
      expect((await readdir(merged)).toSorted()).toEqual(['dir', 'kept']);
      expect(await readdir(path.join(merged, 'dir'))).toEqual(['new']);
    } finally {
      await runOrThrow('umount', [merged]);
    }
  });
});

test('an attribute that steers overlayfs is not taken, however it is spelled', async () => {
  const records = [
    paxRecord('LIBARCHIVE.xattr.trusted%2eoverlay.opaque', 'eQ'),
    paxRecord('LIBARCHIVE.xattr.user.note', 'eQ'),
  ];
  const tar = Buffer.concat([encodeHeader(plainEntry('dir', 'folder'), records), endOfArchive()]);
  await unpackLayer(Readable.from([tar]), folder);
  const found = await runOrThrow('getfattr', ['-d', '-m', '-', '--absolute-names', path.join(folder, 'dir')]);
  expect(found).toContain('user.note="y"');
  expect(found).not.toContain('overlay');
});

test('access lists stay, and the longest names', async () => {
  const source = path.join(outside, 'source');
  const long = `${'d'.repeat(250)}/`.repeat(15);
  await mkdir(path.join(source, long), { recursive: true });
  await writeFile(path.join(source, 'listed'), '');
  // user::rw-, user:7:rwx, group::r--, mask::rwx, other::r--
  const list = '0x0200000001000600ffffffff020007000700000004000400ffffffff10000700ffffffff20000400ffffffff';
  await runOrThrow('setfattr', ['-n', 'system.posix_acl_access', '-v', list, path.join(source, 'listed')]);
  const layer = await packLayer(source, { timestampMs: 0 });
  await unpackLayer(layer, folder);
  const found = await runOrThrow('getfattr', [
    '-n',
    'system.posix_acl_access',
    '-e',
    'hex',
    '--absolute-names',
    path.join(folder, 'listed'),
  ]);
  expect(found).toContain(list);
  expect(await readdir(path.join(folder, long))).toEqual([]);
});
