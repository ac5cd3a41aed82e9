import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openBench } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';
import { tarOf } from './testing/tar-of.ts';
import type { Member } from './testing/tar-of.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterEach(async () => {
  expect(await bench.leftovers()).toEqual([]);
});
afterAll(async () => {
  await bench.close();
});

async function buildWith(archive: Buffer, dockerfile: string) {
  const folder = await bench.context({ Dockerfile: dockerfile });
  await writeFile(path.join(folder, 'a.tar'), archive);
  return (await bench.build({}, { context: { kind: 'folder', path: folder } })).outcome;
}

async function added(members: readonly Member[], dockerfile: string): Promise<string[]> {
  const outcome = await buildWith(tarOf(members), dockerfile);
  if (outcome.kind === 'failed') throw new Error(outcome.message);
  const before = new Set(await bench.files(bench.base.layers));
  return (await bench.files(outcome.image.layers)).filter((line) => !before.has(line));
}

describe('ADD of an archive', () => {
  test('folders that it does not name may be links of the image; what it names takes the place of others', async () => {
    const members: Member[] = [
      { name: 'way/new', text: 'n' },
      { name: 'folder', text: 'f', owner: 7, mode: 0o4755 },
      { name: 'named/', type: 'folder', mode: 0o700 },
      { name: 'named/in', text: 'i' },
    ];
    const below = 'RUN mkdir -p /real /folder/deep && ln -s real /way && ln -s real /named';
    expect(await added(members, `FROM tiny\n${below}\nADD a.tar /\n`)).toEqual([
      '4755 7:7 folder = "f"',
      '700 0:0 named/',
      '644 0:0 named/in = "i"',
      '755 0:0 real/',
      '644 0:0 real/new = "n"',
      'link 0:0 way -> real',
    ]);
  });

  test('links of its own lead where they lead inside the folder that it is unpacked to', async () => {
    const members: Member[] = [
      { name: '', text: '' },
      { name: './', type: 'folder', mode: 0o700 },
      { name: 'up', type: 'symlink', link: '../..' },
      { name: 'up/a', text: 'a' },
      { name: 'abs', type: 'symlink', link: '/d' },
      { name: 'abs/b', text: 'b' },
      { name: 'hard', type: 'hardLink', link: 'abs/b' },
      { name: 'gone', type: 'char' },
      { name: 'pipe', type: 'fifo', mode: 0o600 },
      { name: 'x/../y', text: 'first' },
      { name: 'y', text: 'last' },
    ];
    expect(await added(members, 'FROM scratch\nADD --chmod=700 a.tar /out/\n')).toEqual([
      '755 0:0 out/',
      '644 0:0 out/a = "a"',
      'link 0:0 out/abs -> /d',
      '755 0:0 out/d/',
      '644 0:0 out/d/b = "b"',
      '644 0:0 out/hard = "b"',
      'pipe 600 0:0 out/pipe',
      'link 0:0 out/up -> ../..',
      '644 0:0 out/y = "last"',
    ]);
  });

  test.each<[string, Member[]]>([
    ['leads out of it', [{ name: '../x' }]],
    ['leads out of it', [{ name: 'a', type: 'hardLink', link: '../../etc/passwd' }]],
    ['is a link to nothing', [{ name: 'a', type: 'hardLink', link: 'etc/passwd' }]],
    ['leads in circles', [{ name: 'a', type: 'symlink', link: 'a' }, { name: 'a/b' }]],
    ['ENOTDIR', [{ name: 'a' }, { name: 'a/b/c' }]],
  ])('fails with the line: a name that %s', async (message, members) => {
    const passwords = await readFile('/etc/passwd', 'utf8');
    expect(await buildWith(tarOf(members), 'FROM scratch\nADD a.tar /\n')).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(
        new RegExp(`^Dockerfile:2:5: the archive cannot be unpacked: .*${message}`),
      ) as string,
    });
    expect(await readFile('/etc/passwd', 'utf8')).toBe(passwords);
  });

  test('one that is cut off fails; what only looks like one is copied', async () => {
    const whole = tarOf([{ name: 'big', text: 'x'.repeat(200_000) }]);
    const cut = /^Dockerfile:2:5: the archive cannot be unpacked/;
    for (const archive of [whole.subarray(0, 100_000), gzipSync(whole).subarray(0, 200)])
      expect(await buildWith(archive, 'FROM scratch\nADD a.tar /\n')).toMatchObject({
        message: expect.stringMatching(cut) as string,
      });
    for (const file of [gzipSync('no archive'), Buffer.from('BZh9 no archive'), Buffer.alloc(2048)]) {
      const outcome = await buildWith(file, 'FROM scratch\nADD a.tar /\n');
      expect(outcome.kind === 'built' && (await bench.files(outcome.image.layers))).toEqual([
        expect.stringMatching(/^644 0:0 a\.tar = /),
      ]);
    }
  });
});
