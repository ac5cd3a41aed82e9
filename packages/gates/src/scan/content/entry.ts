/** One member of a layer, whichever form the layer has. */
export interface LayerEntry {
  /** From the root, no leading slash, no `.` or `..`. */
  readonly path: string;
  /** `whiteout`: what lower layers have at `path` is gone; `opaque`: so is everything they have below it. */
  readonly kind: 'file' | 'symlink' | 'whiteout' | 'opaque' | 'other';
  readonly size: number;
  /** May somebody run it? */
  readonly isExecutable: boolean;
  /** The content of a file. Only to be called while the entry is the current one. */
  read(): Promise<Buffer>;
  /** A part of a file, shorter where the file ends. As `read`, only while the entry is the current one. */
  readAt(offset: number, length: number): Promise<Buffer>;
}

/** The members of one layer, in any order. Nothing is unpacked and no link is followed. */
export type LayerContent = AsyncIterable<LayerEntry>;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** The path of a member without its oddities; undefined when it points out of the layer. */
export function cleanPath(written: string): string | undefined {
  const parts = written.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

/** Reads OCI's names for what is gone. */
export function whiteoutOf(
  path: string,
): { readonly kind: 'whiteout' | 'opaque'; readonly path: string } | undefined {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (!name.startsWith(WHITEOUT)) return undefined;
  if (name === OPAQUE) return { kind: 'opaque', path: path.slice(0, Math.max(slash, 0)) };
  return { kind: 'whiteout', path: path.slice(0, slash + 1) + name.slice(WHITEOUT.length) };
}
