import type { Readable } from 'node:stream';
import { chain } from '../streams.ts';
import { TarRewriter } from './stream.ts';
import { ToOverlay } from './to-overlay.ts';
import type { UnpackLimits } from './to-overlay.ts';
import { extract } from './program.ts';
import { makeWhiteouts } from './whiteouts.ts';

export const DEFAULT_LIMITS: UnpackLimits = { maxEntries: 2_000_000, maxBytes: 64 * 1024 ** 3 };

/**
 * Unpacks a layer's (uncompressed) tar into an empty folder in the form overlayfs wants. Reads the source to its end.
 * Nothing outside the folder is touched whatever the archive holds; after a fault the folder is of no use.
 * @throws OciFault LAYER_INVALID, LAYER_UNSUPPORTED, LAYER_TOO_LARGE; Fault DISK_FULL
 */
export async function unpackLayer(source: Readable, folder: string, limits = DEFAULT_LIMITS): Promise<void> {
  let overlay: ToOverlay | undefined;
  const rewriter = new TarRewriter((emit) => (overlay = new ToOverlay(emit, limits)));
  await extract(chain(source, rewriter), folder);
  if (overlay) await makeWhiteouts(folder, overlay);
}
