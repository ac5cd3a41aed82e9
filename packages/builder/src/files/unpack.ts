import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { codeOf, messageOf } from '@updraft/kit';
import { TarReader } from '@updraft/oci';
import type { TarEntry, TarListener } from '@updraft/oci';
import { makeNode } from '@updraft/pods';
import { BuildFailure } from '../failure.ts';
import { isDamage, readArchive } from './archive.ts';
import type { Breather } from './breather.ts';
import { setAttribute, setTimes } from './copy-tree.ts';
import type { Owner } from './owner.ts';
import { linkOf, raw, textOf } from './raw-path.ts';
import { isCopied } from './source-tree.ts';

export interface UnpackOptions {
  /** Given by `--chown`; absent: as the archive has it. */
  readonly owner: Owner | undefined;
  /** Of folders that are made on the way. */
  readonly timestampMs: number | undefined;
}

/**
 * Unpacks a tar archive over what is in `folder`, which is its root: links on the way are followed inside it, the last part
 * of a name never is, and what is of another kind gives way.
 * @throws BuildFailure when the archive is damaged, or names what cannot be
 */
export async function unpackInto(
  archive: string,
  folder: string,
  options: UnpackOptions,
  breather: Breather,
): Promise<void> {
  const unpacker = new Unpacker(folder, options);
  const reader = new TarReader(unpacker);
  try {
    await readArchive(archive, async (chunk) => {
      reader.push(chunk);
      await breather.breathe();
    });
    reader.end();
    unpacker.setFolderTimes();
  } catch (error) {
    throw unpackFailure(error);
  } finally {
    unpacker.close();
  }
}

const OF_NAMES = new Set(['ENAMETOOLONG', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EPERM', 'EFBIG']);

/** Damage, and what a name in the archive makes impossible, is the archive's fault. */
function unpackFailure(error: unknown): unknown {
  if (!isDamage(error) && !OF_NAMES.has(codeOf(error) ?? '')) return error;
  return new BuildFailure(`the archive cannot be unpacked: ${messageOf(error)}`);
}

const MOST_LINKS = 255;
const NODE_TYPES = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

/** The file that is being written. */
interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
  readonly entry: TarEntry;
  /** Where its content goes: offset and length. */
  readonly pieces: (readonly [number, number])[];
}

/** A name that is being followed. */
interface Walk {
  readonly pending: string[];
  /** Where it has come to, below the root. */
  readonly real: string[];
  links: number;
}

class Unpacker implements TarListener {
  readonly #root: string;
  readonly #options: UnpackOptions;
  readonly #folders: (readonly [string, number])[] = [];
  #open: OpenFile | undefined;

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
  }

  entry(entry: TarEntry): void {
    const parts = partsOf(entry.path);
    // The root itself is there already; a removed file's mark of overlayfs would remove something.
    if (parts.length === 0 || isMark(entry)) return;
    const path = this.#resolve(parts, true);
    this.#clear(path, entry.type === 'folder');
    if (entry.type === 'file') return this.#startFile(entry, path);
    this.#make(entry, path);
    if (entry.type !== 'hardLink') this.#finish(entry, path);
  }

  body(chunk: Buffer): void {
    if (!this.#open) return;
    const { descriptor, pieces } = this.#open;
    for (let done = 0; done < chunk.length;) {
      const [piece] = pieces;
      if (!piece) return;
      const [offset, length] = piece;
      const written = writeSync(descriptor, chunk, done, Math.min(length, chunk.length - done), offset);
      done += written;
      if (written === length) pieces.shift();
      else pieces[0] = [offset + written, length - written];
    }
  }

  finish(): void {
    if (!this.#open) return;
    const { descriptor, entry, path } = this.#open;
    if (entry.sparse) ftruncateSync(descriptor, entry.sparse.realSize);
    this.close();
    this.#finish(entry, path);
  }

  close(): void {
    if (this.#open) closeSync(this.#open.descriptor);
    this.#open = undefined;
  }

  /** Last, since making what is in a folder moves its time. */
  setFolderTimes(): void {
    for (const [path, timeMs] of this.#folders) setTimes(path, timeMs);
  }

  #startFile(entry: TarEntry, path: string): void {
    const descriptor = openSync(raw(path), 'wx', 0o600);
    const whole: readonly [number, number] = [0, entry.size];
    this.#open = {
      descriptor,
      path,
      entry,
      pieces: [...(entry.sparse?.pieces ?? [whole])].filter(([, size]) => size > 0),
    };
  }

  #make(entry: TarEntry, path: string): void {
    if (entry.type === 'folder') {
      if (!statusOf(path)) mkdirSync(raw(path));
    } else if (entry.type === 'symlink') symlinkSync(raw(bytes(entry.linkPath)), raw(path));
    else if (entry.type === 'hardLink') this.#link(entry, path);
    else if (entry.type !== 'file') makeNode(raw(path), NODE_TYPES[entry.type] | 0o600, deviceOf(entry));
  }

  #link(entry: TarEntry, path: string): void {
    const parts = partsOf(entry.linkPath);
    const target = this.#resolve(parts, false);
    if (parts.length === 0 || !statusOf(target))
      throw new BuildFailure(`the archive cannot be unpacked: ${bytes(entry.path)} is a link to nothing`);
    linkSync(raw(target), raw(path));
  }

  /** Owner first: giving a file away takes its set-id bits and capabilities. */
  #finish(entry: TarEntry, path: string): void {
    const { owner } = this.#options;
    lchownSync(raw(path), owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
    if (entry.type !== 'symlink') {
      chmodSync(raw(path), entry.mode);
      for (const [name, value] of entry.xattrs) takeAttribute(path, name, value);
    }
    if (entry.type === 'folder') this.#folders.push([path, timeOf(entry)]);
    else setTimes(path, timeOf(entry));
  }

  /** Takes away what stands at the path, unless both are folders. */
  #clear(path: string, isFolder: boolean): void {
    const status = statusOf(path);
    if (status && !(isFolder && status.isDirectory())) rmSync(raw(path), { recursive: true });
  }

  /** Where a name leads when the links of its folders are followed inside the root; `make`: missing folders are made. */
  #resolve(parts: readonly string[], make: boolean): string {
    const walk: Walk = { pending: [...parts], real: [], links: 0 };
    while (walk.pending.length > 1) this.#step(walk, make);
    return [this.#root, ...walk.real, ...walk.pending].join('/');
  }

  #step(walk: Walk, make: boolean): void {
    const part = walk.pending.shift() ?? '';
    if (part === '..') walk.real.pop();
    if (part === '' || part === '.' || part === '..') return;
    const path = [this.#root, ...walk.real, part].join('/');
    const status = statusOf(path);
    if (status?.isSymbolicLink()) return followLink(walk, linkOf(path));
    walk.real.push(part);
    if (!status && make) this.#makeFolder(path);
  }

  #makeFolder(path: string): void {
    mkdirSync(raw(path));
    chmodSync(raw(path), 0o755);
    setTimes(path, this.#options.timestampMs);
  }
}

function followLink(walk: Walk, target: string): void {
  walk.links += 1;
  if (walk.links > MOST_LINKS)
    throw new BuildFailure(`the archive cannot be unpacked: a link to ${target} leads in circles`);
  if (target.startsWith('/')) walk.real.length = 0;
  walk.pending.unshift(...target.split('/'));
}

const statusOf = (path: string) => lstatSync(raw(path), { throwIfNoEntry: false });

/** A name's bytes as this room writes them. */
const bytes = (text: string) => textOf(Buffer.from(text, 'latin1'));

/** @throws BuildFailure for a name that leads out */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of bytes(path).split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      throw new BuildFailure(`the archive cannot be unpacked: ${bytes(path)} leads out of it`);
  }
  return parts;
}

const isMark = ({ type, deviceMajor, deviceMinor }: TarEntry) =>
  type === 'char' && deviceMajor === 0 && deviceMinor === 0;

function deviceOf({ deviceMajor, deviceMinor }: TarEntry): bigint {
  const [major, minor] = [BigInt(deviceMajor), BigInt(deviceMinor)];
  return ((major & 0xfffn) << 8n) | (minor & 0xffn) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

const MOST_SECONDS = 2 ** 33;

/** A time that no file system can hold is none. */
const timeOf = ({ mtime }: TarEntry) => (mtime >= 0 && mtime < MOST_SECONDS ? mtime * 1000 : 0);

/** What only some systems, or some users, may set is not worth a failure. */
function takeAttribute(path: string, name: string, value: string): void {
  if (!isCopied(name)) return;
  try {
    setAttribute(path, name, Buffer.from(value, 'latin1'));
  } catch (error) {
    const cause = codeOf((error as Error).cause) ?? '';
    if (!['EPERM', 'EINVAL', 'E2BIG', 'ERANGE', 'ENODATA'].includes(cause)) throw error;
  }
}
