import { createHash } from 'node:crypto';
import { access, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { Fault, codeOf, diskFault, resolveInRoot, run } from '@updraft/kit';

/** The `paths`, `exclude` and `untracked` of artifacts and caches. */
export interface Selection {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Files of the workspace that the commit does not have. */
  readonly untracked: readonly string[];
}

export interface SelectedFiles {
  /** Relative to the workspace, files and links, sorted. */
  readonly files: readonly string[];
  /** Patterns that matched nothing. */
  readonly missing: readonly string[];
}

/**
 * What a selection finds in a workspace. A pattern that names a folder takes all below it. Links are taken as links
 * and never followed, and nothing outside the workspace is looked at.
 */
export async function selectFiles(workspace: string, selection: Selection): Promise<SelectedFiles> {
  const found = new Set(selection.untracked);
  const missing: string[] = [];
  for (const pattern of selection.paths) {
    const matches = await filesOf(workspace, cleanPattern(pattern));
    if (matches.length === 0) missing.push(pattern);
    for (const match of matches) found.add(match);
  }
  const excluded = selection.exclude.map((pattern) => picomatch(cleanPattern(pattern), { dot: true }));
  const files = [...found].filter((file) => !excluded.some((matches) => matches(file)));
  return { files: files.toSorted(), missing };
}

const cleanPattern = (pattern: string): string =>
  path.posix
    .normalize(pattern)
    .replace(/^(\.\/)+/, '')
    .replace(/^\/+/, '')
    .replace(/\/+$/, '');

async function filesOf(workspace: string, pattern: string): Promise<readonly string[]> {
  if (pattern === '' || pattern.split('/').includes('..')) return [];
  const { base, glob } = picomatch.scan(pattern);
  const start = glob === '' ? pattern : base;
  if (glob === '') return everythingBelow(workspace, start);
  const matches = picomatch(pattern, { dot: true });
  const below = await everythingBelow(workspace, start);
  return below.filter((file) => matches(file) || parents(file).some((parent) => matches(parent)));
}

function parents(file: string): readonly string[] {
  const parts = file.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

async function everythingBelow(workspace: string, start: string): Promise<string[]> {
  const full = path.join(workspace, start);
  const status = await statOrUndefined(full);
  if (status === undefined || !(await staysInside(workspace, start))) return [];
  if (!status.isDirectory()) return status.isFile() || status.isSymbolicLink() ? [start] : [];
  const files: string[] = [];
  for (const entry of await readdir(full, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isSymbolicLink()) {
      files.push(path.relative(workspace, path.join(entry.parentPath, entry.name)));
    }
  }
  return files;
}

async function statOrUndefined(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** No link on the way to `file`: what is written or read there lies in the workspace. */
async function staysInside(workspace: string, file: string): Promise<boolean> {
  const folder = path.dirname(file);
  return (await resolveInRoot(workspace, folder)) === path.join(workspace, folder);
}

/** Packs files of a workspace into an archive, all or nothing. @throws Fault DISK_FULL, ARCHIVE_FAILED */
export async function packFiles(workspace: string, files: readonly string[], archive: string): Promise<void> {
  await mkdir(path.dirname(archive), { recursive: true });
  const temporary = `${archive}.part`;
  const args = ['--create', '--file', temporary, '--directory', workspace, '--no-recursion', '--null'];
  const result = await run('tar', [...args, '--verbatim-files-from', '--files-from', '-'], {
    input: files.map((file) => `./${file}\0`).join(''),
  });
  if (result.code !== 0) {
    await rm(temporary, { force: true });
    throw archiveFault('packing', archive, result.stderr);
  }
  await rename(temporary, archive);
}

/**
 * Unpacks an archive into a workspace. Entries whose way leads through a link that is already there are left out: a
 * repository must not be able to send another job's artifact outside. @returns how many were left out.
 */
export async function unpackFiles(archive: string, workspace: string): Promise<{ leftOut: number }> {
  const names = await archivedNames(archive);
  const safe: string[] = [];
  for (const name of names) {
    if (await staysInside(workspace, name.replace(/^\.\//, ''))) safe.push(name);
  }
  const args = ['--extract', '--file', archive, '--directory', workspace, '--no-same-owner'];
  const result = await run('tar', [...args, '--null', '--verbatim-files-from', '--files-from', '-'], {
    input: safe.map((name) => `${name}\0`).join(''),
  });
  if (result.code !== 0) throw archiveFault('unpacking', archive, result.stderr);
  return { leftOut: names.length - safe.length };
}

/** Names as `packFiles` gave them to the archive: `./a/b`. */
export async function archivedNames(archive: string): Promise<readonly string[]> {
  const listing = await run('tar', ['--list', '--file', archive, '--quoting-style=literal'], {});
  if (listing.code !== 0) throw archiveFault('reading', archive, listing.stderr);
  return listing.stdout.split('\n').filter(Boolean);
}

function archiveFault(doing: string, archive: string, stderr: string): unknown {
  if (/No space left|Disk quota/i.test(stderr)) {
    return diskFault(Object.assign(new Error(stderr), { code: 'ENOSPC' }), archive);
  }
  return new Fault('ARCHIVE_FAILED', `${doing} ${path.basename(archive)} failed: ${stderr.trim()}`);
}

/** A name for a key that may hold any characters. */
export function keyFile(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

export const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
