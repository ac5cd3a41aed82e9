import { codeOf, start } from '@updraft/kit';
import { Transform, pipeline } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { OciFault } from './faults.ts';
import type { Compression } from './media-types.ts';
import { chain, followProgram } from './streams.ts';
import type { LayerForm } from './types.ts';
import { ZstdDecoder } from './zstd/decoder.ts';
import { damaged } from './zstd/frames.ts';

const CHUNK_BYTES = 256 * 1024;

/** The stream unpacked. Damaged input fails the result with LAYER_INVALID. */
export async function decompress(source: Readable, compression: Compression): Promise<Readable> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return chain(source, createGunzip({ chunkSize: CHUNK_BYTES }), new ZlibWords());
  return await throughZstd(source, ['-d'], () => chain(source, new ZstdDecoder()));
}

const LEVELS = { gzip: { least: 0, most: 9, usual: 6 }, zstd: { least: 1, most: 22, usual: 3 } } as const;

/**
 * The stream in that form, with nothing in it that changes from one time to the next.
 * @throws OciFault COMPRESSION_INVALID for a level that does not exist; PROGRAM_NEEDED when zstd is not installed
 */
export async function compress(source: Readable, { kind, level }: LayerForm): Promise<Readable> {
  const used = levelOf({ kind, level });
  if (kind === 'gzip') return compressGzip(source, used);
  const args = ['-T1', `-${used}`, ...(used > 19 ? ['--ultra'] : [])];
  return await throughZstd(source, args, () => {
    source.destroy();
    throw new OciFault(
      'PROGRAM_NEEDED',
      'layers cannot be compressed with zstd: the program zstd is not installed',
      {
        next: 'Install the package zstd, or use gzip.',
      },
    );
  });
}

export function isCompressionLevel(kind: LayerForm['kind'], level: number): boolean {
  const { least, most } = LEVELS[kind];
  return level === -1 || (Number.isInteger(level) && level >= least && level <= most);
}

/** `-1` and nothing stand for the usual level. */
export function levelOf({ kind, level = -1 }: LayerForm): number {
  if (isCompressionLevel(kind, level)) return level === -1 ? LEVELS[kind].usual : level;
  const { least, most } = LEVELS[kind];
  throw new OciFault('COMPRESSION_INVALID', `${kind} has no level ${level}; it has ${least} to ${most}`);
}

function compressGzip(source: Readable, level: number): Readable {
  return chain(source, createGzip({ level, chunkSize: CHUNK_BYTES, memLevel: 9 }));
}

/** Passes everything; there so that a chain through zlib reports zlib's errors in our words. */
class ZlibWords extends Transform {
  constructor() {
    super({ readableHighWaterMark: CHUNK_BYTES, writableHighWaterMark: CHUNK_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error && codeOf(error)?.startsWith('Z_') ? damaged(error.message, error) : error);
  }
}

/** The stream through the program, or what `without` makes of it where there is none. */
async function throughZstd(
  source: Readable,
  args: readonly string[],
  without: () => Readable,
): Promise<Readable> {
  const zstd = await startZstd(args);
  if (zstd === undefined) return without();
  let messages = '';
  zstd.stderr?.on('data', (chunk: Buffer) => (messages = (messages + chunk.toString()).slice(0, 1000)));
  const result = new ZlibWords();
  followProgram(zstd, result, ({ code }) =>
    code === 0 ? undefined : damaged(messages.trim() || `zstd exited with ${code}`),
  );
  if (!zstd.stdin) throw damaged('zstd was started without pipes');
  pipeline(source, zstd.stdin, (error) => {
    // A program that gave up says why itself; everything else is the source's fault.
    if (error && codeOf(error) !== 'EPIPE') result.destroy(error);
  });
  return result;
}

/** undefined when it is not installed. */
async function startZstd(args: readonly string[]) {
  try {
    return await start('zstd', [...args, '-c', '-q', '--no-progress'], { stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    if (codeOf(error) !== 'PROGRAM_MISSING') throw error;
    return undefined;
  }
}
