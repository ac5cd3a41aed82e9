import { codeOf, start } from '@updraft/kit';
import { Transform, pipeline } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { OciFault } from './faults.ts';
import type { Compression } from './media-types.ts';
import { chain, followProgram } from './streams.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * The stream unpacked. Damaged input fails the result with LAYER_INVALID.
 * @throws OciFault LAYER_UNSUPPORTED when zstd is needed and not installed
 */
export async function decompress(source: Readable, compression: Compression): Promise<Readable> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return chain(source, createGunzip({ chunkSize: CHUNK_BYTES }), new ZlibWords());
  return throughZstd(source);
}

/** gzip with nothing in its header that changes from one time to the next. */
export function compressGzip(source: Readable): Readable {
  return chain(source, createGzip({ level: 6, chunkSize: CHUNK_BYTES, memLevel: 9 }));
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

function damaged(why: string, cause?: unknown): OciFault {
  return new OciFault('LAYER_INVALID', `a compressed layer is damaged: ${why}`, { cause });
}

async function throughZstd(source: Readable): Promise<Readable> {
  const zstd = await startZstd();
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

async function startZstd() {
  try {
    return await start('zstd', ['-d', '-c', '-q', '--no-progress'], { stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    if (codeOf(error) !== 'PROGRAM_MISSING') throw error;
    throw new OciFault(
      'LAYER_UNSUPPORTED',
      'a layer is compressed with zstd, and the program zstd is not installed',
      {
        cause: error,
        next: 'Install the package zstd and run again.',
      },
    );
  }
}
