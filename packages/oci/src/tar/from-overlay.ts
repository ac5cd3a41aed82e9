import { OciFault } from '../faults.ts';
import { shownPath } from './entry.ts';
import type { TarEntry } from './entry.ts';
import type { TarListener } from './reader.ts';
import type { Emit } from './stream.ts';
import { OVERLAY_XATTR } from './to-overlay.ts';
import { encodeHeader, padding, plainEntry } from './writer.ts';

/**
 * Turns the tar of an overlay's upper folder into the tar of a layer: whiteouts in OCI's form, overlayfs' own
 * attributes gone, times whole seconds and not after `latest` (seconds), the root folder itself left out.
 */
export class FromOverlay implements TarListener {
  readonly #emit: Emit;
  readonly #latest: number;
  #current: TarEntry | undefined;

  constructor(emit: Emit, latest: number) {
    this.#emit = emit;
    this.#latest = latest;
  }

  entry(entry: TarEntry): void {
    this.#current = undefined;
    const path = relative(entry.path);
    if (path === '') return;
    refuseHalfCopies(path, entry);
    const mtime = Math.min(Math.floor(entry.mtime), this.#latest);
    if (isWhiteout(entry)) {
      const slash = path.lastIndexOf('/') + 1;
      this.#emit(
        encodeHeader(plainEntry(`${path.slice(0, slash)}.wh.${path.slice(slash)}`, 'file', { mtime })),
      );
      return;
    }
    const linkPath = entry.type === 'hardLink' ? relative(entry.linkPath) : entry.linkPath;
    const xattrs = new Map([...entry.xattrs].filter(([name]) => !name.startsWith(OVERLAY_XATTR)));
    const written = { ...entry, path, linkPath, mtime, xattrs };
    this.#emit(encodeHeader(written));
    if (entry.xattrs.get(`${OVERLAY_XATTR}opaque`) === 'y') {
      this.#emit(encodeHeader(plainEntry(`${path}/.wh..wh..opq`, 'file', { mtime })));
    }
    this.#current = written;
  }

  body(chunk: Buffer): void {
    if (this.#current) this.#emit(chunk);
  }

  finish(): void {
    if (this.#current) this.#emit(padding(this.#current.size));
  }
}

function relative(path: string): string {
  return path
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/$/, '')
    .replace(/^\.$/, '');
}

function isWhiteout(entry: TarEntry): boolean {
  return entry.type === 'char' && entry.deviceMajor === 0 && entry.deviceMinor === 0;
}

/** With these, a part of the entry lies in a lower layer: packing what is here would lose it. */
function refuseHalfCopies(path: string, entry: TarEntry): void {
  for (const name of ['redirect', 'metacopy']) {
    if (!entry.xattrs.has(OVERLAY_XATTR + name)) continue;
    throw new OciFault(
      'LAYER_UNSUPPORTED',
      `${shownPath(path)} was changed under an overlay with ${name} on`,
      {
        next: 'Mount overlays that become layers with redirect_dir=off,metacopy=off.',
      },
    );
  }
}
