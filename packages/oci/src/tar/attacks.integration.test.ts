import { runOrThrow } from '@updraft/kit';
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decompress } from '../compression.ts';
import { makeTar } from '../testing/index.ts';
import type { TarMember } from '../testing/index.ts';
import type { TarEntry } from './entry.ts';
import { paxRecord } from './pax.ts';
import { unpackLayer } from './unpack.ts';
import { encodeHeader, endOfArchive, padding, plainEntry } from './writer.ts';

/** Canaries beside the folder that is unpacked into: nothing may happen to them. */
let outside: string;
let folder: string;

beforeEach(async () => {
  outside = await mkdtemp(path.join(tmpdir(), 'updraft-attack-'));
  folder = path.join(outside, 'layer');
  await mkdir(path.join(outside, 'canary'), { recursive: true });
  await mkdir(folder);
  await writeFile(path.join(outside, 'canary/file'), 'untouched', { mode: 0o600 });
});
afterEach(() => rm(outside, { recursive: true, force: true }));

async function expectUntouched(): Promise<void> {
  expect((await readdir(outside)).toSorted()).toEqual(['canary', 'layer']);
  expect(await readdir(path.join(outside, 'canary'))).toEqual(['file']);
  const file = await lstat(path.join(outside, 'canary/file'));
  expect([file.mode & 0o7777, file.nlink, file.uid]).toEqual([0o600, 1, 0]);
  expect(await readFile(path.join(outside, 'canary/file'), 'utf8')).toBe('untouched');
}

/** A member whose PAX header says something else than the header itself. */
function withPax(records: readonly string[], entry: TarEntry, body = ''): Buffer {
  const padded = Buffer.concat([Buffer.from(body), padding(body.length)]);
  return Buffer.concat([encodeHeader({ ...entry, size: body.length }, records), padded]);
}

/** The header with another type, and the checksum that goes with it. */
function resealed(header: Buffer, type: string): Buffer {
  header.write(type, 156, 'latin1');
  let sum = 8 * 32;
  for (const [index, byte] of header.subarray(0, 512).entries()) if (index < 148 || index >= 156) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** GNU's long name (L) or long link (K), then a member. */
function withLong(type: 'L' | 'K', name: string, entry: TarEntry, body = ''): Buffer {
  const text = Buffer.from(`${name}\0`);
  const header = resealed(encodeHeader(plainEntry('././@LongLink', 'file', { size: text.length })), type);
  return Buffer.concat([header, text, padding(text.length), withPax([], entry, body)]);
}

const up = '../canary';
const file = (name: string) => plainEntry(name, 'file');
const link = (name: string, linkPath: string) => plainEntry(name, 'symlink', { linkPath });
const hard = (name: string, linkPath: string) => plainEntry(name, 'hardLink', { linkPath });

/** Archives as bytes; `at` is the folder with the canaries. */
const ATTACKS: readonly (readonly [string, (at: string) => readonly Buffer[]])[] = [
  ['a PAX path upwards', () => [withPax([paxRecord('path', `${up}/file`)], file('harmless'), 'owned')]],
  [
    'an absolute PAX path',
    (at) => [withPax([paxRecord('path', `${at}/canary/file`)], file('harmless'), 'owned')],
  ],
  [
    'a PAX path with .. hidden by more slashes',
    () => [withPax([paxRecord('path', `.//..///canary/file`)], file('x'), 'owned')],
  ],
  [
    'a PAX link path upwards',
    () => [
      withPax([paxRecord('linkpath', `${up}/file`)], hard('h', 'harmless')),
      withPax([], file('h'), 'owned'),
    ],
  ],
  ['a GNU long name upwards', () => [withLong('L', `${up}/file`, file('harmless'), 'owned')]],
  [
    'a GNU long link upwards',
    () => [withLong('K', `${up}/file`, hard('h', 'harmless')), withPax([], file('h'), 'owned')],
  ],
  [
    'a sparse file named upwards',
    () => [
      withPax(
        [
          paxRecord('GNU.sparse.name', `${up}/file`),
          paxRecord('GNU.sparse.map', '0,5'),
          paxRecord('GNU.sparse.size', '5'),
        ],
        file('harmless'),
        'owned',
      ),
    ],
  ],
  ['a name with a NUL', () => [withPax([paxRecord('path', `${up}/file\0x`)], file('x'), 'owned')]],
  ['a backslash path', () => [withPax([], file('..\\canary\\file'), 'owned')]],
  [
    'a link that changes between two entries',
    () => [
      withPax([], link('l', '.')),
      withPax([], file('l/a'), 'a'),
      withPax([], link('l', up)),
      withPax([], file('l/file'), 'owned'),
    ],
  ],
  [
    'a file under a file that was a link',
    () => [withPax([], link('l', up)), withPax([], file('l'), 'x'), withPax([], file('l/file'), 'owned')],
  ],
  [
    'a hard link to a folder link, then an owner',
    () => [
      withPax([], link('l', up)),
      withPax([], hard('h', 'l')),
      withPax([], plainEntry('h', 'folder', { uid: 1, mode: 0o777 })),
    ],
  ],
  [
    'owner and mode through a link',
    () => [
      withPax([], link('l', `${up}/file`)),
      withPax([], plainEntry('l', 'file', { mode: 0o777, uid: 1 })),
    ],
  ],
  [
    'attributes through a link',
    () => [
      withPax([], link('l', `${up}/file`)),
      withPax([], { ...link('l', `${up}/file`), xattrs: new Map([['user.x', 'y']]) }),
    ],
  ],
  [
    'a chain of forty-one links',
    () => [
      ...Array.from({ length: 41 }, (_, index) => withPax([], link(`l${index}`, `l${index + 1}`))),
      withPax([], link('l41', up)),
      withPax([], file('l0/file'), 'owned'),
    ],
  ],
  [
    'a link to /proc/self/cwd',
    () => [withPax([], link('p', '/proc/self/cwd')), withPax([], file('p/../canary/file'), 'owned')],
  ],
  [
    'a link to an open folder of tar',
    () => [withPax([], link('p', '/proc/self/fd/3')), withPax([], file('p/file'), 'owned')],
  ],
  [
    'a disk, then a file over it',
    () => [
      withPax([], plainEntry('disk', 'block', { deviceMajor: 254, deviceMinor: 0 })),
      withPax([], file('disk'), 'owned'),
    ],
  ],
  [
    'a hard link to a disk',
    () => [
      withPax([], plainEntry('disk', 'block', { deviceMajor: 254, deviceMinor: 0 })),
      withPax([], hard('d', 'disk')),
      withPax([], file('d'), 'x'),
    ],
  ],
  [
    'a pipe that nobody reads, then a file over it',
    () => [withPax([], plainEntry('p', 'fifo')), withPax([], file('p'), 'x')],
  ],
  [
    'a whiteout and an opaque mark of the root’s parent',
    () => [withPax([], file('../.wh.canary')), withPax([], file('../.wh..wh..opq'))],
  ],
  ['a second archive behind the end', () => [endOfArchive(), withPax([], file(`${up}/file`), 'owned')]],
  [
    'GNU’s multi-volume and dump types',
    () => [resealed(encodeHeader(file('m')), 'M'), resealed(encodeHeader(file('d')), 'D')],
  ],
];

describe('attacks', () => {
  test.each(ATTACKS)(
    '%s',
    async (_what, make) => {
      const bytes = Buffer.concat([...make(outside), endOfArchive()]);
      await unpackLayer(Readable.from([bytes]), folder).catch((error: unknown) =>
        expect(error).toMatchObject({ code: expect.stringMatching(/^LAYER_(INVALID|UNSUPPORTED)$/) }),
      );
      await expectUntouched();
    },
    20_000,
  );

  test.each([
    ['a size that is negative', (header: Buffer) => header.fill(0xff, 124, 136)],
    ['a size beyond all numbers', (header: Buffer) => header.fill(0x7f, 124, 136).fill(0x80, 124, 125)],
    ['an owner that is negative', (header: Buffer) => header.fill(0xff, 108, 116)],
    ['a size of letters', (header: Buffer) => header.write('zzzzzzzzzzz', 124, 'latin1')],
  ])('%s', async (_what, change) => {
    const header = Buffer.from(encodeHeader(file('x')));
    change(header);
    const bytes = Buffer.concat([resealed(header, '0'), endOfArchive()]);
    await expect(unpackLayer(Readable.from([bytes]), folder)).rejects.toMatchObject({
      code: 'LAYER_INVALID',
    });
    await expectUntouched();
  });

  test('an extension header of gigabytes is not gathered', async () => {
    const header = resealed(encodeHeader(plainEntry('PaxHeader', 'file', { size: 4 * 1024 ** 3 })), 'x');
    await expect(unpackLayer(Readable.from([header]), folder)).rejects.toMatchObject({
      code: 'LAYER_INVALID',
    });
  });
});

describe('bombs', () => {
  const limits = { maxEntries: 1000, maxBytes: 10_000_000 };

  test('a few kilobytes that unpack to gigabytes stop at the limit, not at the end', async () => {
    const zeros = Buffer.alloc(1024 * 1024);
    let given = 0;
    async function* endless() {
      yield encodeHeader(plainEntry('zeros', 'file', { size: 1024 ** 4 }));
      for (; given < 1024 ** 4; given += zeros.length) {
        yield zeros;
        await Promise.resolve();
      }
    }
    await expect(unpackLayer(Readable.from(endless()), folder, limits)).rejects.toMatchObject({
      code: 'LAYER_TOO_LARGE',
    });
    expect(given).toBeLessThan(100_000_000);
  });

  test('gzip in gzip is unpacked once, and zeros in it count', async () => {
    const bomb = gzipSync(gzipSync(makeTar([{ path: 'x', content: Buffer.alloc(20_000_000) }])));
    const outer = await decompress(Readable.from([bomb]), 'gzip');
    await expect(unpackLayer(outer, folder, limits)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    const inner = await decompress(
      Readable.from([gzipSync(makeTar([{ path: 'x', content: Buffer.alloc(20_000_000) }]))]),
      'gzip',
    );
    await expect(unpackLayer(inner, folder, limits)).rejects.toMatchObject({ code: 'LAYER_TOO_LARGE' });
  });

  test('a sparse file of a petabyte takes nothing', async () => {
    const records = [paxRecord('GNU.sparse.map', '0,1'), paxRecord('GNU.sparse.size', String(1e14))];
    const bytes = Buffer.concat([withPax(records, file('huge'), 'x'), endOfArchive()]);
    await expect(unpackLayer(Readable.from([bytes]), folder)).rejects.toMatchObject({
      code: 'LAYER_TOO_LARGE',
    });
  });

  test('the same name a thousand times is one file, the last', async () => {
    const members: TarMember[] = Array.from({ length: 1000 }, (_, index) => ({
      path: 'same',
      content: String(index),
    }));
    await unpackLayer(Readable.from([makeTar(members)]), folder);
    expect(await readdir(folder)).toEqual(['same']);
    expect(await readFile(path.join(folder, 'same'), 'utf8')).toBe('999');
  });

  test('a hundred thousand entries, in memory that does not grow with them', async () => {
    async function* many() {
      for (let start = 0; start < 100_000; start += 1000) {
        yield Buffer.concat(
          Array.from({ length: 1000 }, (_, index) => encodeHeader(file(`d${start % 7}/f${start + index}`))),
        );
        await Promise.resolve();
      }
      yield endOfArchive();
    }
    const before = process.memoryUsage().rss;
    await unpackLayer(Readable.from(many()), folder);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    const count = await runOrThrow('find', [folder, '-type', 'f', '-printf', '.']);
    expect(count.length).toBe(100_000);
  }, 60_000);
});

test('capabilities of programs and large attributes stay', async () => {
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex').toString('latin1');
  const entry = {
    ...file('ping'),
    xattrs: new Map([
      ['security.capability', capability],
      ['user.large', 'x'.repeat(3000)],
    ]),
  };
  await unpackLayer(Readable.from([Buffer.concat([withPax([], entry, 'x'), endOfArchive()])]), folder);
  expect(await runOrThrow('getcap', [path.join(folder, 'ping')])).toContain('cap_net_bind_service');
  const large = await runOrThrow('getfattr', [
    '-n',
    'user.large',
    '--only-values',
    '--absolute-names',
    path.join(folder, 'ping'),
  ]);
  expect(large.length).toBe(3000);
});
