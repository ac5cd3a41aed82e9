import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TarEntry } from './entry.ts';
import { LinkMap, partsOf } from './paths.ts';
import { paxRecord, readPax } from './pax.ts';
import { TarReader } from './reader.ts';
import { encodeHeader, endOfArchive, padding, plainEntry } from './writer.ts';

interface Read {
  readonly entry: TarEntry;
  readonly body: Buffer;
}

/** Reads an archive that arrives in pieces of the given size. */
function read(tar: Buffer, pieceBytes = tar.length): Read[] {
  const found: Read[] = [];
  let chunks: Buffer[] = [];
  let current: TarEntry | undefined;
  const reader = new TarReader({
    entry: (entry) => void (current = entry),
    body: (chunk) => void chunks.push(chunk),
    finish() {
      if (current) found.push({ entry: current, body: Buffer.concat(chunks) });
      chunks = [];
    },
  });
  for (let offset = 0; offset < tar.length; offset += pieceBytes)
    reader.push(tar.subarray(offset, offset + pieceBytes));
  reader.end();
  return found;
}

function archive(...entries: [TarEntry, Buffer?][]): Buffer {
  const parts = entries.flatMap(([entry, body = Buffer.alloc(0)]) => [
    encodeHeader(entry),
    body,
    padding(body.length),
  ]);
  return Buffer.concat([...parts, endOfArchive()]);
}

const byteString = (min: number, max: number) =>
  fc
    .uint8Array({ minLength: min, maxLength: max })
    .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString('latin1'));

/** A file of six bytes with a sparse map of version 0.1. */
function sparseWith(map: string, size: number): Buffer {
  const records = [paxRecord('GNU.sparse.map', map), paxRecord('GNU.sparse.size', String(size))];
  const header = encodeHeader(plainEntry('sparse', 'file', { size: 6 }), records);
  return Buffer.concat([header, Buffer.from('sparse'), padding(6), endOfArchive()]);
}

describe('what is written is read back', () => {
  test('any file, whatever its name, numbers and attributes, in pieces of any size', () => {
    const anyFile = fc.record({
      path: byteString(1, 300).filter((path) => !path.endsWith('/')),
      uid: fc.nat(),
      gid: fc.nat(),
      mode: fc.nat(0o7777),
      mtime: fc.integer({ min: -1e9, max: 1e12 }),
      xattrs: fc.dictionary(fc.stringMatching(/^user\.[a-z]{1,8}$/), fc.uint8Array({ maxLength: 50 })),
      body: fc.uint8Array({ maxLength: 2000 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyFile, { maxLength: 4 }),
        fc.integer({ min: 1, max: 1500 }),
        (files, pieceBytes) => {
          const entries = files.map(({ body, xattrs, ...rest }): [TarEntry, Buffer] => {
            const values = Object.entries(xattrs).map(
              ([name, value]) => [name, Buffer.from(value).toString('latin1')] as const,
            );
            return [
              plainEntry(rest.path, 'file', { ...rest, size: body.length, xattrs: new Map(values) }),
              Buffer.from(body),
            ];
          });
          const found = read(archive(...entries), pieceBytes);
          expect(found).toEqual(entries.map(([entry, body]) => ({ entry, body })));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('attributes as libarchive writes them: twice, one of them with its own spelling', () => {
    // As bsdtar 3.6 wrote them for `user.sp ace=y`, `user.note=a=b%c` and an attribute of zero bytes.
    const records = [
      paxRecord('LIBARCHIVE.xattr.user.sp%20ace', 'eQ'),
      paxRecord('SCHILY.xattr.user.sp%20ace', 'y'),
      paxRecord('LIBARCHIVE.xattr.user.note', 'YT1iJWM'),
      paxRecord('SCHILY.xattr.user.note', 'a=b%c'),
      paxRecord('LIBARCHIVE.xattr.user.zero', 'AAA'),
      paxRecord('SCHILY.xattr.user.100%', 'kept'),
    ];
    const header = encodeHeader(plainEntry('file', 'file'), records);
    const [found] = read(Buffer.concat([header, endOfArchive()]));
    expect(found?.entry.xattrs).toEqual(
      new Map([
        ['user.100%', 'kept'],
        ['user.sp ace', 'y'],
        ['user.note', 'a=b%c'],
        ['user.zero', '\0\0'],
      ]),
    );
    const hostile = encodeHeader(plainEntry('file', 'file'), [
      paxRecord('LIBARCHIVE.xattr.user.a%00b', 'eQ'),
    ]);
    expect(() => read(Buffer.concat([hostile, endOfArchive()]))).toThrow(
      expect.objectContaining({ code: 'LAYER_INVALID' }),
    );
  });

  test('links, devices and folders', () => {
    const entries = [
      plainEntry('folder/', 'folder'),
      plainEntry('soft', 'symlink', { linkPath: 'x'.repeat(300) }),
      plainEntry('hard', 'hardLink', { linkPath: 'soft' }),
      plainEntry('dev', 'block', { deviceMajor: 8, deviceMinor: 17 }),
      plainEntry('half', 'file', { mtime: 1.5 }),
    ];
    expect(read(archive(...entries.map((entry): [TarEntry] => [entry]))).map((item) => item.entry)).toEqual(
      entries,
    );
  });

  test.each([1, 9, 10, 95, 98, 99, 100, 990, 995, 1000])(
    'a PAX record with a value of %i bytes',
    (length) => {
      const found = new Map<string, string>();
      readPax(paxRecord('key', 'v'.repeat(length)) + paxRecord('next', '='), found);
      expect([...found]).toEqual([
        ['key', 'v'.repeat(length)],
        ['next', '='],
      ]);
    },
  );
});

describe('what is not right is refused', () => {
  const file = archive([plainEntry('f', 'file', { size: 3 }), Buffer.from('abc')]);

  function withHeader(change: (header: Buffer) => void): Buffer {
    const tar = Buffer.from(file);
    change(tar);
    tar.write('        ', 148, 'latin1');
    const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return tar;
  }

  function withPax(records: string): Buffer {
    const body = Buffer.from(records, 'latin1');
    const header = withHeader((tar) => {
      tar.write('x', 156, 'latin1');
      tar.write(body.length.toString(8).padStart(11, '0'), 124, 'latin1');
    }).subarray(0, 512);
    return Buffer.concat([header, body, padding(body.length), file]);
  }

  function hugeExtension(): Buffer {
    return withHeader((tar) => {
      tar.write('x', 156, 'latin1');
      tar.write('77777777777', 124, 'latin1');
    });
  }

  test.each([
    ['a NUL in a name', withPax(paxRecord('path', 'a\0b')), 'LAYER_INVALID'],
    ['a NUL in a link', withPax(paxRecord('linkpath', 'a\0b')), 'LAYER_INVALID'],
    ['a name without end', withPax(paxRecord('path', 'a'.repeat(5000))), 'LAYER_INVALID'],
    ['a PAX record that is too long', withPax('99 path=a\n'), 'LAYER_INVALID'],
    ['a PAX record without a length', withPax('path=a\n'), 'LAYER_INVALID'],
    ['a PAX size that is no number', withPax(paxRecord('size', '1e3')), 'LAYER_INVALID'],
    ['a negative size', withPax(paxRecord('size', '-1')), 'LAYER_INVALID'],
    ['a sparse file without a size', withPax(paxRecord('GNU.sparse.major', '1')), 'LAYER_INVALID'],
    ['a sparse map that overlaps', sparseWith('0,3,2,3', 10), 'LAYER_INVALID'],
    ['a sparse map longer than the file', sparseWith('8,6', 10), 'LAYER_INVALID'],
    ['a sparse map for more content than there is', sparseWith('0,7', 10), 'LAYER_INVALID'],
    ['a sparse map of half a piece', sparseWith('0,6,8', 10), 'LAYER_INVALID'],
    ['a sparse map of letters', sparseWith('0,x', 10), 'LAYER_INVALID'],
    ['an unknown type', withHeader((tar) => void tar.write('Z', 156, 'latin1')), 'LAYER_UNSUPPORTED'],
    [
      'a number that is not octal',
      withHeader((tar) => void tar.write('xyz', 100, 'latin1')),
      'LAYER_INVALID',
    ],
    ['a huge extension header', hugeExtension(), 'LAYER_INVALID'],
    ['extensions of nothing', withPax(paxRecord('path', 'a')).subarray(0, 1024), 'LAYER_INVALID'],
  ])('%s', (_what, tar, code) => {
    expect(() => read(tar)).toThrow(expect.objectContaining({ code }));
  });

  test('random bytes never do anything but fail in our words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(511), (noise, at) => {
        const tar = Buffer.from(file);
        tar.set(noise.subarray(0, 512 - at), at);
        try {
          read(tar);
        } catch (error) {
          expect(error).toMatchObject({ name: 'OciFault' });
        }
      }),
    );
  });

  test('a body on something that has none is not believed', () => {
    const tar = withHeader((header) => void header.write('5', 156, 'latin1'));
    expect(() => read(tar)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
});

describe('paths', () => {
  test.each([
    ['a/b', ['a', 'b']],
    ['./a//b/', ['a', 'b']],
    ['/etc/passwd', ['etc', 'passwd']],
    ['.', []],
    ['...', ['...']],
  ])('%s', (path, parts) => expect(partsOf(path)).toEqual(parts));

  test.each(['..', 'a/..', '../a', '/../a', `${'x'.repeat(256)}/a`])('%s is refused', (path) => {
    expect(() => partsOf(path)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });

  test('links are followed inside the image, the last part is not', () => {
    const links = new LinkMap();
    links.set('lib', 'usr/lib');
    links.set('usr/up', '../../../..');
    links.set('abs', '/usr');
    links.set('loop', 'loop/x');
    expect(links.resolve(['lib', 'x'])).toEqual(['usr', 'lib', 'x']);
    expect(links.resolve(['lib'])).toEqual(['lib']);
    expect(links.resolve(['usr', 'up', 'x'])).toEqual(['x']);
    expect(links.resolve(['abs', 'up', 'lib', 'x'])).toEqual(['usr', 'lib', 'x']);
    expect(() => links.resolve(['loop', 'x'])).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
});
