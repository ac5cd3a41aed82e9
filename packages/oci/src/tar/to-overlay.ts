import { OciFault } from '../faults.ts';
import { invalidLayer, shownPath } from './entry.ts';
import type { TarEntry } from './entry.ts';
import { LinkMap, partsOf } from './paths.ts';
import type { TarListener } from './reader.ts';
import type { Emit } from './stream.ts';
import { encodeHeader, encodeSparseHeader, padding, plainEntry } from './writer.ts';

export interface UnpackLimits {
  readonly maxEntries: number;
  /** Of all files together, uncompressed. */
  readonly maxBytes: number;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const AUFS_OWN = '.wh..wh.';

/** What a name in a layer says about the layers below: nothing, or what of them is not to be seen. */
export function whiteoutOf(
  name: string,
): { readonly kind: 'hidden'; readonly name: string } | { readonly kind: 'opaque' } | undefined {
  if (name === OPAQUE) return { kind: 'opaque' };
  return name.startsWith(WHITEOUT) ? { kind: 'hidden', name: name.slice(WHITEOUT.length) } : undefined;
}

/** Names that could not be given by an image's author to a file of his: they steer overlayfs. */
export const OVERLAY_XATTR = 'trusted.overlay.';

/**
 * Turns a layer's tar into one that is safe to give to `tar -x` in an empty folder: names are relative, without `..`,
 * and never lead through a link of the same layer; parent folders come before what is in them. Whiteouts are left out
 * and collected, to be made when it is known what else the layer holds at their places.
 */
export class ToOverlay implements TarListener {
  /** Paths (byte strings) that the layer hides, and folders whose lower content it hides. */
  readonly whiteouts: string[] = [];
  readonly opaque: string[] = [];
  readonly #emit: Emit;
  readonly #limits: UnpackLimits;
  readonly #links = new LinkMap();
  readonly #folders = new Set<string>();
  #entries = 0;
  #bytes = 0;
  #current: TarEntry | undefined;

  constructor(emit: Emit, limits: UnpackLimits) {
    this.#emit = emit;
    this.#limits = limits;
    emit(encodeHeader(plainEntry('./', 'folder')));
  }

  entry(entry: TarEntry): void {
    this.#count(entry);
    this.#current = undefined;
    const parts = this.#links.resolve(partsOf(entry.path));
    const name = parts.at(-1);
    if (name === undefined) return this.#root(entry);
    if (name.startsWith(WHITEOUT)) return this.#whiteout(name, parts.slice(0, -1), entry);
    this.#addParents(parts.slice(0, -1));
    const path = parts.join('/');
    const written = { ...this.#withSafeLink(entry, path), path, xattrs: withoutOverlay(entry.xattrs) };
    this.#remember(path, written);
    this.#emit(written.sparse ? encodeSparseHeader(written, written.sparse) : encodeHeader(written));
    this.#current = written;
  }

  body(chunk: Buffer): void {
    if (this.#current) this.#emit(chunk);
  }

  finish(): void {
    if (this.#current) this.#emit(padding(this.#current.size));
  }

  #count(entry: TarEntry): void {
    this.#entries += 1;
    this.#bytes += entry.size;
    const { maxEntries, maxBytes } = this.#limits;
    if (this.#entries > maxEntries)
      throw new OciFault('LAYER_TOO_LARGE', `a layer has more than ${maxEntries} entries`);
    if (this.#bytes > maxBytes || (entry.sparse?.realSize ?? 0) > maxBytes)
      throw new OciFault('LAYER_TOO_LARGE', `a layer unpacks to more than ${maxBytes} bytes`);
  }

  #root(entry: TarEntry): void {
    if (entry.type !== 'folder') throw invalidLayer('a layer replaces the root folder by something else');
    this.#emit(encodeHeader({ ...entry, path: './', linkPath: '', xattrs: withoutOverlay(entry.xattrs) }));
  }

  #whiteout(name: string, parent: readonly string[], entry: TarEntry): void {
    if (name === OPAQUE) {
      this.#addParents(parent);
      this.opaque.push(parent.join('/') || '.');
      return;
    }
    if (name.startsWith(AUFS_OWN)) return;
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw invalidLayer(`the entry ${shownPath(entry.path)} hides nothing that could exist`);
    }
    this.#addParents(parent);
    this.whiteouts.push([...parent, hidden].join('/'));
  }

  /** Folders that the archive leaves out would be made by tar with the mode of the process's umask. */
  #addParents(parts: readonly string[]): void {
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      if (this.#folders.has(path)) continue;
      this.#folders.add(path);
      this.#links.delete(path);
      this.#count(plainEntry(path, 'folder'));
      this.#emit(encodeHeader(plainEntry(path, 'folder')));
    }
  }

  #withSafeLink(entry: TarEntry, path: string): TarEntry {
    if (entry.type === 'symlink') {
      if (entry.linkPath === '') throw invalidLayer(`the link ${shownPath(path)} leads nowhere`);
      return entry;
    }
    if (entry.type !== 'hardLink') return { ...entry, linkPath: '' };
    const target = this.#links.resolve(partsOf(entry.linkPath)).join('/');
    if (target === '' || target === path)
      throw invalidLayer(`the hard link ${shownPath(path)} leads nowhere`);
    return { ...entry, linkPath: target };
  }

  #remember(path: string, entry: TarEntry): void {
    // A hard link to a symbolic link is that symbolic link under another name.
    const target = entry.type === 'hardLink' ? this.#links.get(entry.linkPath) : entry.linkPath;
    if (entry.type === 'folder') this.#folders.add(path);
    else this.#folders.delete(path);
    if (target !== undefined && (entry.type === 'symlink' || entry.type === 'hardLink'))
      this.#links.set(path, target);
    else this.#links.delete(path);
  }
}

function withoutOverlay(xattrs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => !name.startsWith(OVERLAY_XATTR)));
}
