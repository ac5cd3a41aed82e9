import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { start } from '@updraft/kit';
import { OciFault, TarReader } from '@updraft/oci';
import { BuildFailure } from '../failure.ts';

/** How compressed files start, and the program that reads them; gzip needs none. */
const COMPRESSIONS: readonly (readonly [magic: string, program: string])[] = [
  ['1f8b', 'gzip'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
  ['28b52ffd', 'zstd'],
];

interface Archive {
  readonly content: AsyncIterable<Buffer>;
  /** After the content was read to its end: was the file whole? */
  isWhole(): Promise<boolean>;
  close(): void;
}

/** A file's content, not compressed any more. */
async function openArchive(file: string): Promise<Archive> {
  const program = await compressionOf(file);
  if (program === undefined || program === 'gzip') {
    const source = createReadStream(file, { highWaterMark: 256 * 1024 });
    const content: Readable =
      program === undefined ? source : source.pipe(createGunzip({ chunkSize: 256 * 1024 }));
    source.on('error', (error) => content.destroy(error));
    return {
      content,
      isWhole: async () => true,
      close: () => {
        source.destroy();
        content.destroy();
      },
    };
  }
  const running = await start(program, ['-dc', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (!running.stdout) throw new BuildFailure(`${program} gives no output`);
  return {
    content: running.stdout,
    isWhole: async () => (await running.exited).code === 0,
    close: () => running.kill('SIGKILL'),
  };
}

async function compressionOf(file: string): Promise<string | undefined> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const start = buffer.toString('hex', 0, bytesRead);
    return COMPRESSIONS.find(([magic]) => start.startsWith(magic))?.[1];
  } finally {
    await handle.close();
  }
}

/** Is it a tar archive, compressed or not? Its first member's header tells. */
export async function isArchive(file: string): Promise<boolean> {
  const archive = await openArchive(file);
  let found = false;
  const reader = new TarReader({
    entry: () => (found = true),
    body: () => undefined,
    finish: () => undefined,
  });
  try {
    for await (const chunk of archive.content) {
      reader.push(chunk);
      if (found) return true;
    }
    return found;
  } catch (error) {
    if (isDamage(error)) return found;
    throw error;
  } finally {
    archive.close();
  }
}

/**
 * Hands a tar archive's bytes on, not compressed.
 * @throws BuildFailure or what is damage when it is not whole
 */
export async function readArchive(file: string, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  const archive = await openArchive(file);
  try {
    for await (const chunk of archive.content) await take(chunk);
    if (!(await archive.isWhole())) throw new BuildFailure('the archive is damaged');
  } finally {
    archive.close();
  }
}

/** What a tar reader and zlib say of content they do not like. */
export function isDamage(error: unknown): boolean {
  if (error instanceof OciFault) return true;
  return (
    error instanceof Error &&
    /^Z_|^ERR_(STREAM_PREMATURE|ZLIB|BUFFER_TOO)/.test(String((error as { code?: unknown }).code))
  );
}
