import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTarFile } from './tar-file.ts';

let file = '';
beforeEach(async () => {
  file = path.join(await mkdtemp(path.join(tmpdir(), 'gates-tar-')), 'layer.tar');
});
afterEach(() => rm(path.dirname(file), { recursive: true, force: true }));

async function members(bytes: Buffer): Promise<readonly string[]> {
  await writeFile(file, bytes);
  const found: string[] = [];
  for await (const entry of readTarFile(file)) {
    const content = entry.size < 1_000_000 ? (await entry.read()).toString() : '';
    found.push(`${entry.kind} ${entry.path} ${content}`.trim());
  }
  return found;
}

async function tarOf(entries: readonly (readonly [object & { name: string }, string?])[]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

it('reads members, long names, odd letters and whiteouts', async () => {
  const long = `${'folder/'.repeat(40)}ü`;
  const tar = await tarOf([
    [{ name: './a/b' }, 'one'],
    [{ name: long }, 'two'],
    [{ name: 'a/.wh.c' }],
    [{ name: 'd/.wh..wh..opq' }],
    [{ name: '.wh..wh..opq' }],
    [{ name: 'l', type: 'symlink', linkname: '/etc/passwd' } as { name: string }],
    [{ name: '../out' }, 'no'],
    [{ name: 'big' }, 'x'.repeat(1000)],
    [{ name: 'last' }, 'three'],
  ]);
  expect(await members(tar)).toEqual([
    'file a/b one',
    `file ${long} two`,
    'whiteout a/c',
    'opaque d',
    'opaque',
    'symlink l',
    `file big ${'x'.repeat(1000)}`,
    'file last three',
  ]);
});

it('comes to an end whatever the bytes are', async () => {
  const tar = await tarOf([
    [{ name: 'x'.repeat(150) }, 'y'],
    [{ name: 'z' }, 'w'],
  ]);
  const damage = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const broken = Buffer.from(tar);
      for (const [at, byte] of changes) broken[at] = byte;
      expect((await members(broken)).length).toBeLessThan(20);
    }),
    { numRuns: 100 },
  );
  const pax = Buffer.from(tar.toString('latin1').replace(/(\d+) path=/, '12 size=-1\n$1 path='), 'latin1');
  expect((await members(pax)).length).toBeLessThan(20);
});
