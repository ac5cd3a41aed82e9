import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';

/** A file of a ConfigMap, Secret or projected volume. */
export interface PayloadFile {
  /** Relative, without `..`. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

const LINK = '..data';

/**
 * Puts files into a volume so that a reader sees all of the old ones or all of the new: they lie in a folder of their
 * own, `..data` points at it and is replaced in one step, and the visible names lead through `..data`.
 */
export async function writePayload(
  volume: string,
  files: readonly PayloadFile[],
  serial: string,
): Promise<void> {
  await mkdir(volume, { recursive: true, mode: 0o755 });
  const folder = `..${serial}`;
  for (const file of files) {
    const target = path.join(volume, folder, file.path);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.content, { mode: file.mode });
  }
  await mkdir(path.join(volume, folder), { recursive: true });
  const before = await linkTarget(path.join(volume, LINK));
  await symlink(folder, path.join(volume, `${LINK}_tmp`));
  await rename(path.join(volume, `${LINK}_tmp`), path.join(volume, LINK));
  await showNames(volume, new Set(files.map((file) => file.path.split('/')[0] ?? '')));
  if (before !== undefined && before !== folder)
    await rm(path.join(volume, before), { recursive: true, force: true });
}

async function showNames(volume: string, names: ReadonlySet<string>): Promise<void> {
  const shown = (await readdir(volume)).filter((name) => !name.startsWith('..'));
  for (const name of shown) if (!names.has(name)) await rm(path.join(volume, name), { force: true });
  for (const name of names) {
    if (!shown.includes(name)) await symlink(path.join(LINK, name), path.join(volume, name));
  }
}

async function linkTarget(link: string): Promise<string | undefined> {
  try {
    return await readlink(link);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
