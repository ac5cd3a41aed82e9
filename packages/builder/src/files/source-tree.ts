import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '@updraft/kit';
import { resolveInRoot } from '@updraft/kit';
import type { Ignore } from '@updraft/dockerfile';
import { readAttributes, statusAt } from '@updraft/pods';
import type { FileStatus } from '@updraft/pods';
import type { Attributes, FileDigest, StepCache } from '../step-cache.ts';
import { Breather } from './breather.ts';
import { readInside, withFolder } from './open-inside.ts';
import { linkOf, namesOf, raw } from './raw-path.ts';

/** A folder that COPY and ADD take files from. */
export interface SourceRoot {
  /** Without symbolic links in it. */
  readonly path: string;
  readonly ignore: Ignore | undefined;
  /** Files of a context belong to root and are as old as the build; those of an image are kept as they are. */
  readonly owner: 'root' | 'kept';
}

export interface TreeEntry {
  /** Relative to what was asked for; empty for itself. */
  readonly path: string;
  /** `node`: a device or a named pipe. */
  readonly kind: 'file' | 'folder' | 'link' | 'node';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  /** On the host. */
  readonly file: string;
  /** Of a symbolic link. */
  readonly link: string | undefined;
  /** sha256 of a file's content. */
  readonly digest: string | undefined;
  /** Equal for names of one file. */
  readonly hardLink: string | undefined;
  /** Type bits and device number of a node. */
  readonly node: { readonly type: number; readonly device: bigint } | undefined;
  /** Extended attributes, such as file capabilities. */
  readonly attributes: Attributes;
}

/** Something that a source names: a file, or a folder with all that is below it. */
export interface SourceTree {
  /** As it was named, relative to the root. */
  readonly name: string;
  /** Itself first, then sorted. */
  readonly entries: readonly TreeEntry[];
}

export interface ReadTools {
  readonly cache: StepCache;
  readonly clock: Clock;
}

/** What of a tree is taken, by path relative to its start. */
export interface Selection {
  takes(relative: string): boolean;
  /** False when nothing below a folder that is not taken can be: it is not looked into. */
  mayTakeBelow(relative: string): boolean;
}

export const EVERYTHING: Selection = { takes: () => true, mayTakeBelow: () => true };

/** Reads what `name` leads to: links on the way and `name` itself are followed inside the root, those below are kept. */
export async function readTree(
  root: SourceRoot,
  name: string,
  selection: Selection,
  tools: ReadTools,
): Promise<SourceTree> {
  const start = await resolveInRoot(root.path, name);
  const reader = new TreeReader(root, start, selection, tools);
  return { name, entries: await reader.read() };
}

const TYPE_BITS = 0o170000;

/** For an absolute path. */
const NO_FOLDER = -100;

/** Something below the start. */
interface Place {
  readonly relative: string;
  /** By its path. */
  readonly file: string;
  /** By the folder that was opened. */
  readonly via: string;
  /** That folder, and the name in it. */
  readonly folder: number;
  readonly name: string;
}

class TreeReader {
  readonly #root: SourceRoot;
  readonly #start: string;
  readonly #selection: Selection;
  readonly #tools: ReadTools;
  readonly #breather: Breather;
  /** To be remembered, all at once. */
  readonly #digests: FileDigest[] = [];

  constructor(root: SourceRoot, start: string, selection: Selection, tools: ReadTools) {
    this.#root = root;
    this.#start = start;
    this.#selection = selection;
    this.#tools = tools;
    this.#breather = new Breather(tools.clock);
  }

  async read(): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    await this.#readPath(
      { relative: '', file: this.#start, via: this.#start, folder: NO_FOLDER, name: this.#start },
      entries,
    );
    this.#tools.cache.putFiles(this.#digests);
    const self = entries.find(({ path }) => path === '');
    // Folders that are left out themselves are there only for what came back below them.
    if (!self || (this.#isIgnored('') && (self.kind !== 'folder' || entries.length === 1))) return [];
    return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Adds what is at a path, and below it, to `found`. A promise only for what has to be looked into: most is known. */
  #readPath(place: Place, found: TreeEntry[]): Promise<void> | undefined {
    const status = statusAt(place.folder, raw(place.name));
    if (!status || isHidden(status)) return undefined;
    if (status.kind === 'folder') return this.#readFolder(place, status, found);
    if (place.relative !== '' && this.#isLeft(place.relative)) return undefined;
    if (status.kind === 'file') return this.#readFile(place, status, found);
    if (status.kind === 'link') found.push(this.#entry(place, status, { link: linkOf(place.via) }));
    // A socket of a context is an empty file of that name, as where contexts are sent over a wire.
    else if (status.kind === 'socket' && this.#root.owner === 'root')
      found.push(this.#entry(place, status, { digest: NOTHING }));
    else found.push(this.#entry(place, status, { node: nodeOf(status) }));
    return undefined;
  }

  #readFile(place: Place, status: FileStatus, found: TreeEntry[]): Promise<void> | undefined {
    const known = this.#tools.cache.file(status.identity);
    if (known === undefined) return this.#readContent(place, status, found);
    found.push(this.#entry(place, status, { digest: known }));
    return undefined;
  }

  async #readContent(place: Place, status: FileStatus, found: TreeEntry[]): Promise<void> {
    found.push(this.#entry(place, status, { digest: await this.#digest(place.file, status) }));
  }

  async #readFolder(place: Place, status: FileStatus, found: TreeEntry[]): Promise<void> {
    const { relative, file } = place;
    const left = relative !== '' && this.#isLeft(relative);
    if (left && !this.#mayReturnBelow(relative)) return;
    const before = found.length;
    await withFolder(file, async (via, folder) => {
      for (const name of namesOf(via)) {
        const below = relative === '' ? name : `${relative}/${name}`;
        const place = { relative: below, file: `${file}/${name}`, via: `${via}/${name}`, folder, name };
        const reading = this.#readPath(place, found);
        if (reading) await reading;
        if (this.#breather.isDue()) await this.#breather.breathe();
      }
    });
    if (!left || found.length > before) found.push(this.#entry(place, status, {}));
  }

  #isLeft(relative: string): boolean {
    return this.#isIgnored(relative) || !this.#selection.takes(relative);
  }

  #mayReturnBelow(relative: string): boolean {
    if (this.#isIgnored(relative) && this.#root.ignore?.hasExceptions !== true) return false;
    return this.#selection.mayTakeBelow(relative);
  }

  #isIgnored(relative: string): boolean {
    if (!this.#root.ignore) return false;
    const name = path.relative(this.#root.path, path.join(this.#start, relative));
    return name !== '' && this.#root.ignore(name);
  }

  #entry(
    { relative, file, via }: Place,
    status: FileStatus,
    rest: Partial<Pick<TreeEntry, 'link' | 'digest' | 'node'>>,
  ): TreeEntry {
    const kept = this.#root.owner === 'kept';
    return {
      path: relative,
      kind: kindOf(status, rest.node !== undefined),
      mode: status.mode & 0o7777,
      uid: kept ? status.uid : 0,
      gid: kept ? status.gid : 0,
      mtimeMs: status.mtimeMs,
      file,
      link: rest.link,
      digest: rest.digest,
      hardLink: status.kind === 'file' && status.names > 1 ? status.file : undefined,
      node: rest.node,
      attributes: this.#attributes(status, via),
    };
  }

  #attributes(status: FileStatus, via: string): Attributes {
    const read = () => readAttributes(raw(via)).filter(([name]) => isCopied(name));
    return this.#isOld(status) ? this.#tools.cache.attributes(status.identity, read) : read();
  }

  /** A file that is being written right now may change again without its times telling. */
  #isOld(status: FileStatus): boolean {
    return this.#tools.clock.now() - status.ctimeMs > 1000;
  }

  async #digest(file: string, status: FileStatus): Promise<string> {
    const hash = createHash('sha256');
    await readInside(
      file,
      (chunk) => hash.update(chunk),
      () => this.#breather.breathe(),
    );
    const digest = hash.digest('hex');
    if (this.#isOld(status)) this.#digests.push({ identity: status.identity, digest });
    return digest;
  }
}

const NOTHING = createHash('sha256').digest('hex');

function kindOf(status: FileStatus, isNode: boolean): TreeEntry['kind'] {
  if (isNode) return 'node';
  return status.kind === 'folder' || status.kind === 'link' ? status.kind : 'file';
}

/** What overlayfs marks a removed file with: in a layer that is looked at alone, it removes nothing. */
const isHidden = (status: FileStatus) => status.kind === 'character' && status.device === 0n;

const nodeOf = (status: FileStatus) => ({ type: status.mode & TYPE_BITS, device: status.device });

/** Overlayfs' own marks, and labels of this machine's policy, are no content. */
export function isCopied(attribute: string): boolean {
  return !attribute.startsWith('trusted.overlay.') && attribute !== 'security.selinux';
}

/** What of a tree can be seen in a layer, apart from times: the same parts mean the same layer. */
export function treeParts(tree: SourceTree): readonly string[] {
  const parts: string[] = [];
  for (const { path, kind, mode, uid, gid, link, digest, node, attributes } of tree.entries) {
    // None of these can hold a blank; what can is a part of its own.
    parts.push(path, `${kind} ${mode} ${uid} ${gid} ${digest ?? ''}`);
    if (link !== undefined) parts.push(link);
    if (node) parts.push(`${node.type}:${node.device}`);
    for (const [name, value] of attributes) parts.push(`@${name}`, value.toString('hex'));
  }
  return parts;
}
