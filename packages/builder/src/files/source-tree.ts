import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@updraft/kit';
import { codeOf, resolveInRoot } from '@updraft/kit';
import { compileGlob, isGlob } from '@updraft/dockerfile';
import type { Ignore } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { FileDigest, StepCache } from '../step-cache.ts';
import { namesIn, statusOf } from './merged-root.ts';
import { Breather } from './breather.ts';
import { readInside } from './open-inside.ts';

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
  readonly kind: 'file' | 'folder' | 'link';
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

/** The names in `root` that a source pattern stands for, sorted. `folders`: `**` is understood. */
export async function findMatches(root: SourceRoot, pattern: string, folders: boolean): Promise<string[]> {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  let found: string[] = [''];
  for (const part of parts) {
    const next = await Promise.all(found.map((folder) => expandPart(root, folder, part, folders)));
    found = [...new Set(next.flat())];
  }
  return found.filter((name) => !isIgnored(root, name)).toSorted();
}

async function expandPart(
  root: SourceRoot,
  folder: string,
  part: string,
  folders: boolean,
): Promise<string[]> {
  if (part === '..') return [path.dirname(folder) === '.' ? '' : path.dirname(folder)];
  if (folders && part === '**') return [folder, ...(await foldersBelow(root, folder))];
  const absolute = await resolveInRoot(root.path, folder);
  if (!isGlob(part)) {
    const name = path.join(folder, part);
    return (await statusOf(path.join(absolute, part))) ? [name] : [];
  }
  const matches = compileGlob(part);
  if (!matches) throw new BuildFailure(`${part} is no valid pattern`);
  return (await namesIn(absolute)).filter(matches).map((name) => path.join(folder, name));
}

async function foldersBelow(root: SourceRoot, folder: string): Promise<string[]> {
  const absolute = await resolveInRoot(root.path, folder);
  const inside = await readdir(absolute, { withFileTypes: true }).catch(() => []);
  const folders = inside.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  const below = await Promise.all(folders.map((name) => foldersBelow(root, name)));
  return [...folders, ...below.flat()];
}

/** Ignored itself, and nothing below it that comes back. */
function isIgnored(root: SourceRoot, name: string): boolean {
  return name !== '' && root.ignore?.(name) === true && !root.ignore.hasExceptions;
}

/** Reads what `name` leads to: links on the way and `name` itself are followed inside the root, those below are kept. */
export async function readTree(
  root: SourceRoot,
  name: string,
  exclude: (relative: string) => boolean,
  tools: ReadTools,
): Promise<SourceTree> {
  const start = await resolveInRoot(root.path, name);
  const reader = new TreeReader(root, start, exclude, tools);
  return { name, entries: await reader.read() };
}

class TreeReader {
  readonly #root: SourceRoot;
  readonly #start: string;
  readonly #exclude: (relative: string) => boolean;
  readonly #tools: ReadTools;
  readonly #breather: Breather;
  /** To be remembered, all at once. */
  readonly #digests: FileDigest[] = [];

  constructor(root: SourceRoot, start: string, exclude: (relative: string) => boolean, tools: ReadTools) {
    this.#root = root;
    this.#start = start;
    this.#exclude = exclude;
    this.#tools = tools;
    this.#breather = new Breather(tools.clock);
  }

  async read(): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    await this.#readPath('', entries);
    this.#tools.cache.putFiles(this.#digests);
    const self = entries.find(({ path }) => path === '');
    // Folders that are left out themselves are there only for what came back below them.
    if (!self || (self.kind !== 'folder' && this.#isIgnored(''))) return [];
    return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Adds what is at a path, and below it, to `found`. */
  async #readPath(relative: string, found: TreeEntry[]): Promise<void> {
    const file = path.join(this.#start, relative);
    const status = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (!status) return;
    if (status.isDirectory()) return await this.#readFolder(relative, file, { status, found });
    if (relative !== '' && (this.#isIgnored(relative) || this.#exclude(relative))) return;
    if (status.isSymbolicLink())
      found.push(this.#entry(relative, file, status, { link: readlinkSync(file) }));
    // Sockets, pipes and devices are no content.
    else if (status.isFile())
      found.push(this.#entry(relative, file, status, { digest: await this.#digest(file, status) }));
  }

  async #readFolder(
    relative: string,
    file: string,
    { status, found }: { status: BigIntStats; found: TreeEntry[] },
  ): Promise<void> {
    const left = relative !== '' && (this.#isIgnored(relative) || this.#exclude(relative));
    if (left && !this.#root.ignore?.hasExceptions) return;
    const before = found.length;
    for (const name of namesOf(file)) {
      await this.#readPath(relative === '' ? name : `${relative}/${name}`, found);
      await this.#breather.breathe();
    }
    if (!left || found.length > before) found.push(this.#entry(relative, file, status, {}));
  }

  #isIgnored(relative: string): boolean {
    if (!this.#root.ignore) return false;
    const name = path.relative(this.#root.path, path.join(this.#start, relative));
    return name !== '' && this.#root.ignore(name);
  }

  #entry(
    relative: string,
    file: string,
    status: BigIntStats,
    rest: { link?: string; digest?: string },
  ): TreeEntry {
    const kept = this.#root.owner === 'kept';
    return {
      path: relative,
      kind: status.isDirectory() ? 'folder' : status.isSymbolicLink() ? 'link' : 'file',
      mode: Number(status.mode & 0o7777n),
      uid: kept ? Number(status.uid) : 0,
      gid: kept ? Number(status.gid) : 0,
      mtimeMs: Number(status.mtimeMs),
      file,
      link: rest.link,
      digest: rest.digest,
      hardLink: status.isFile() && status.nlink > 1n ? `${status.dev}:${status.ino}` : undefined,
    };
  }

  async #digest(file: string, status: BigIntStats): Promise<string> {
    const known = this.#tools.cache.file(status);
    if (known) return known;
    const hash = createHash('sha256');
    await readInside(
      file,
      (chunk) => hash.update(chunk),
      () => this.#breather.breathe(),
    );
    const digest = hash.digest('hex');
    // A file that is being written right now may change again without its times telling.
    if (this.#tools.clock.now() - Number(status.ctimeMs) > 1000)
      this.#digests.push({ identity: status, digest });
    return digest;
  }
}

/** A folder that went away meanwhile has no names. */
function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** What of a tree can be seen in a layer, apart from times: the same parts mean the same layer. */
export function treeParts(tree: SourceTree): readonly (string | number | undefined)[] {
  return tree.entries.flatMap(({ path, kind, mode, uid, gid, link, digest }) => [
    path,
    kind,
    mode,
    uid,
    gid,
    link,
    digest,
  ]);
}
