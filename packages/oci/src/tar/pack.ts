import type { Readable } from 'node:stream';
import { followProgram } from '../streams.ts';
import { startTar, tarFailure } from './program.ts';
import { FromOverlay } from './from-overlay.ts';
import { TarRewriter } from './stream.ts';

/**
 * The layer's tar of an overlay's upper folder, as a stream: reproducible, so the same content gives the same bytes
 * whenever and wherever it was written. The stream fails when tar does.
 */
export async function packLayer(folder: string, options: { timestampMs: number }): Promise<Readable> {
  const args = ['-c', '-f', '-', '-C', folder, '--format=posix', '--sort=name', '--numeric-owner'];
  const { process, messages } = await startTar([...args, '--xattrs', '--xattrs-include=*', '.'], {
    stdin: 'ignore',
    stdout: 'pipe',
  });
  const latest = Math.floor(options.timestampMs / 1000);
  const rewriter = new TarRewriter((emit) => new FromOverlay(emit, latest));
  followProgram(process, rewriter, (exit) =>
    exit.code === 0 ? undefined : tarFailure(exit, messages(), folder),
  );
  return rewriter;
}
