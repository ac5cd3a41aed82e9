import { constants } from 'node:fs';
import { copyFile, lstat, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { git, tryGit } from './git.ts';
import { commonFolder, splitZero } from './repository.ts';

/** Pointers are shorter than this by the specification of Git LFS. */
const POINTER_LIMIT_BYTES = 1024;
const NAMED = 5;

/**
 * Puts the large files that the repository has fetched before in place of their pointers. No network is asked and no
 * filter program is started. Hands back what to tell the user.
 */
export async function fillLfsFiles(root: string, target: string): Promise<readonly string[]> {
  const files = await trackedByLfs(target);
  if (files.length === 0) return [];
  const store = path.join(await commonFolder(root), 'lfs/objects');
  const missing: string[] = [];
  const filled: string[] = [];
  for (const file of files) {
    const outcome = await fill(store, path.join(target, file));
    if (outcome === 'missing') missing.push(file);
    if (outcome === 'filled') filled.push(file);
  }
  await markUnchanged(target, filled);
  if (missing.length === 0) return [];
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  const names = missing.slice(0, NAMED).join(', ');
  return [
    `these large files (Git LFS) were never fetched and stay pointers: ${names}${more} (git lfs fetch brings them)`,
  ];
}

async function trackedByLfs(target: string): Promise<readonly string[]> {
  const grep = ['grep', '--quiet', '--cached', '-F', 'filter=lfs', '--', ':(glob)**/.gitattributes'];
  if ((await tryGit(target, grep)).code !== 0) return [];
  return splitZero(await git(target, ['ls-files', '-z', '--', ':(attr:filter=lfs)']));
}

/** A job that asks git what it has changed is not told of these. */
async function markUnchanged(target: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  await git(target, ['update-index', '-z', '--assume-unchanged', '--stdin'], { input: files.join('\0') });
}

async function fill(store: string, file: string): Promise<'filled' | 'missing' | 'no pointer'> {
  const pointer = await readPointer(file);
  if (!pointer) return 'no pointer';
  const { id, size, mode } = pointer;
  const object = path.join(store, id.slice(0, 2), id.slice(2, 4), id);
  const found = await lstat(object).catch(nothingThere);
  if (!found?.isFile() || found.size !== size) return 'missing';
  const temporary = `${file}.${id.slice(0, 12)}.part`;
  try {
    await copyFile(object, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmodLike(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return 'filled';
}

async function chmodLike(file: string, mode: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.chmod(mode & 0o777);
  } finally {
    await handle.close();
  }
}

async function readPointer(file: string): Promise<{ id: string; size: number; mode: number } | undefined> {
  const status = await lstat(file).catch(nothingThere);
  if (!status?.isFile() || status.size > POINTER_LIMIT_BYTES) return undefined;
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const text = await handle.readFile('utf8');
    const [, id, size] =
      /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[^]*\n)?oid sha256:([0-9a-f]{64})\nsize (\d+)\n/.exec(
        text,
      ) ?? [];
    return id === undefined ? undefined : { id, size: Number(size), mode: status.mode };
  } finally {
    await handle.close();
  }
}

function nothingThere(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
  return undefined;
}
