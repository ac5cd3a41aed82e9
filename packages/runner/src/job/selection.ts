import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { codeOf, resolveInRoot } from '@updraft/kit';

/** The `paths`, `exclude` and `untracked` of artifacts and caches, variables expanded. */
export interface Selection {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Files of the workspace that the commit does not have. */
  readonly untracked: readonly string[];
  /** CI_PROJECT_DIR as the job sees it: paths may begin with it. */
  readonly projectDir?: string;
}

export interface SelectedFiles {
  /** Relative to the workspace, sorted: files, links, and folders that are empty (these end with a slash). */
  readonly files: readonly string[];
  /** Patterns that matched nothing. */
  readonly missing: readonly string[];
  /** Patterns that lead out of the project folder. */
  readonly outside: readonly string[];
  /** Files whose names are no UTF-8. */
  readonly unnameable: number;
}

/**
 * What a selection finds in a workspace. A pattern that names a folder takes all below it; an exclude does not. Links
 * are taken as links and never followed, and nothing outside the workspace is looked at.
 */
export async function selectFiles(workspace: string, selection: Selection): Promise<SelectedFiles> {
  // git lists what is below the folder; what a job has made of its repository's settings is not trusted, though.
  const found = new Set(selection.untracked.filter((file) => cleanPattern(file, undefined) !== undefined));
  const missing: string[] = [];
  const outside: string[] = [];
  for (const pattern of selection.paths) {
    const clean = cleanPattern(pattern, selection.projectDir);
    const matches = clean === undefined ? [] : await filesOf(workspace, clean);
    if (clean === undefined) outside.push(pattern);
    else if (matches.length === 0) missing.push(pattern);
    for (const match of matches) found.add(match);
  }
  const excluded = selection.exclude
    .map((pattern) => cleanPattern(pattern, selection.projectDir))
    .filter((pattern) => pattern !== undefined)
    .map(matcher);
  const files = [...found].filter((file) => !excluded.some((matches) => matches(withoutSlash(file))));
  const nameable = files.filter((file) => !file.includes('\uFFFD'));
  return { files: nameable.toSorted(), missing, outside, unnameable: files.length - nameable.length };
}

const withoutSlash = (file: string): string => file.replace(/\/$/, '');

/** Globs as GitLab's runner has them (doublestar): dotfiles match, braces and classes work, parentheses are letters. */
const matcher = (pattern: string): ((file: string) => boolean) =>
  picomatch(pattern.replaceAll(/(?<!\\)[()]/g, String.raw`\$&`), {
    dot: true,
    noextglob: true,
    nonegate: true,
  });

/** Relative to the project folder; undefined when it lies elsewhere. */
function cleanPattern(pattern: string, projectDir: string | undefined): string | undefined {
  let relative = pattern;
  if (path.posix.isAbsolute(pattern)) {
    if (projectDir === undefined) return undefined;
    const normal = path.posix.normalize(pattern);
    if (normal !== projectDir && !normal.startsWith(`${projectDir}/`)) return undefined;
    relative = normal.slice(projectDir.length + 1);
  }
  const clean = withoutSlash(path.posix.normalize(relative));
  return clean.split('/').includes('..') ? undefined : clean;
}

async function filesOf(workspace: string, pattern: string): Promise<readonly string[]> {
  const parts = pattern.split('/');
  const firstGlob = parts.findIndex((part) => /(?<!\\)[*?[{]/.test(part));
  if (firstGlob < 0) return everythingBelow(workspace, pattern.replaceAll(/\\(.)/g, '$1'));
  const matches = matcher(pattern);
  const below = await everythingBelow(workspace, parts.slice(0, firstGlob).join('/') || '.');
  const known = new Map<string, boolean>();
  const folderMatches = (folder: string): boolean => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const parent = path.posix.dirname(folder);
    const answer = matches(folder) || (parent !== '.' && folderMatches(parent));
    known.set(folder, answer);
    return answer;
  };
  return below.filter((file) => {
    const bare = withoutSlash(file);
    const folder = path.posix.dirname(bare);
    return matches(bare) || (folder !== '.' && folderMatches(folder));
  });
}

async function everythingBelow(workspace: string, start: string): Promise<string[]> {
  const full = path.join(workspace, start);
  const status = await statOrUndefined(full);
  if (status === undefined || !(await staysInside(workspace, start))) return [];
  if (!status.isDirectory()) return status.isFile() || status.isSymbolicLink() ? [path.normalize(start)] : [];
  const files: string[] = [];
  await walk(full, path.relative(workspace, full), files);
  return files;
}

async function walk(folder: string, name: string, files: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.length === 0 && name !== '') files.push(`${name}/`);
  for (const entry of entries) {
    const below = name === '' ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) await walk(path.join(folder, entry.name), below, files);
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(below);
  }
}

async function statOrUndefined(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** No link on the way to `file`: what is written or read there lies in the workspace. */
export async function staysInside(workspace: string, file: string): Promise<boolean> {
  const full = path.join(workspace, file);
  if (full === path.join(workspace)) return true;
  const folder = path.dirname(full);
  return (await resolveInRoot(workspace, path.relative(workspace, folder))) === folder;
}
