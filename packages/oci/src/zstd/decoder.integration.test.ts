import { runOrThrow } from '@updraft/kit';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chain } from '../streams.ts';
import { ZstdDecoder } from './decoder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-zstd-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What the program makes of it. */
async function compressed(content: Buffer, ...args: readonly string[]): Promise<Buffer> {
  await writeFile(path.join(folder, 'in'), content);
  await runOrThrow('zstd', ['-q', '-f', ...args, path.join(folder, 'in'), '-o', path.join(folder, 'out')]);
  return await readFile(path.join(folder, 'out'));
}

const decoded = (content: Buffer, chunkBytes = 64 * 1024): Promise<Buffer> => {
  const chunks = Array.from({ length: Math.ceil(content.length / chunkBytes) }, (_, index) =>
    content.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return buffer(chain(Readable.from(chunks), new ZstdDecoder()));
};

const text = Buffer.from('what is often said is often said again\n'.repeat(20_000));
const mixed = Buffer.concat([randomBytes(200_000), text, Buffer.alloc(300_000), randomBytes(5)]);
/** A frame that decoders are to pass over. */
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const empty = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

describe('ZstdDecoder', () => {
  test.each([
    ['as usual', mixed, []],
    ['at the best level', mixed, ['-19']],
    ['at the fastest level', mixed, ['--fast=5']],
    ['without a checksum', mixed, ['--no-check']],
    ['with a long window', mixed, ['--long=27']],
    ['without its size', mixed, ['--no-content-size']],
    ['nothing', Buffer.alloc(0), []],
    ['one byte', Buffer.from('x'), []],
    ['zeros', Buffer.alloc(3_000_000), []],
  ])('unpacks %s', async (_name, content, args) => {
    const packed = await compressed(content, ...args);
    expect((await decoded(packed)).equals(content)).toBe(true);
    if (packed.length < 5000) expect((await decoded(packed, 1)).equals(content)).toBe(true);
  });

  test('unpacks many frames, and passes over what is none', async () => {
    const one = await compressed(text);
    const two = await compressed(mixed, '--no-check');
    const packed = Buffer.concat([empty, one, skippable, two, one, empty, skippable]);
    const whole = Buffer.concat([text, mixed, text]);
    for (const chunkBytes of [7, 1000, packed.length])
      expect((await decoded(packed, chunkBytes)).equals(whole)).toBe(true);
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => skippable));
    expect(await decoded(Buffer.concat([many, one]))).toHaveLength(text.length);
  });

  test('notices everything that is cut or is no zstd', async () => {
    const packed = await compressed(mixed);
    for (const bytes of [1, 4, 9, 100, packed.length - 5, packed.length - 1])
      await expect(decoded(packed.subarray(0, bytes))).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    for (const wrong of [Buffer.from('not zstd'), Buffer.concat([packed, Buffer.from('more')])])
      await expect(decoded(wrong)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    const damaged = Buffer.from(packed);
    // The type of the first block: one that does not exist.
    damaged[9] = (damaged[9] ?? 0) | 6;
    await expect(decoded(damaged)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  test('takes no more memory than the program would, in any frame', async () => {
    const one = await compressed(text);
    // A window of two gigabytes, and a frame of one piece that says it is as large.
    const window = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]);
    const segment = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0x01, 0, 0]);
    for (const hostile of [window, segment, Buffer.concat([one, window])])
      await expect(decoded(hostile)).rejects.toMatchObject({ code: 'LAYER_TOO_LARGE' });
    const dictionary = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x00, 0x09, 0x01, 0x00, 0x00]);
    await expect(decoded(dictionary)).rejects.toMatchObject({ code: 'LAYER_UNSUPPORTED' });
  });
});
