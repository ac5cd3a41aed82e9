import { chmod, mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { giveToGroup } from './ownership.ts';

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
 * own, `..data` points at it and is replaced in one step, and the visible names lead through `..data`. What is there
 * already is left as it is.
 */
export async function writePayload(
  volume: string,
  files: readonly PayloadFile[],
  { serial, group }: { serial: string; group: number | undefined },
): Promise<void> {
  await mkdir(volume, { recursive: true, mode: 0o755 });
  const before = await linkTarget(path.join(volume, LINK));
  if (before !== undefined && (await holds(path.join(volume, before), files))) return;
  const folder = `..${serial}`;
  await mkdir(path.join(volume, folder), { recursive: true, mode: 0o755 });
  for (const file of files) {
    const target = path.join(volume, folder, file.path);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.content, { mode: 0o600 });
    // Not at once: the mode of a new file is cut by the umask.
    await chmod(target, file.mode);
  }
  if (group !== undefined) await giveToGroup(path.join(volume, folder), group, { readOnly: true });
  await symlink(folder, path.join(volume, `${LINK}_tmp`));
  await rename(path.join(volume, `${LINK}_tmp`), path.join(volume, LINK));
  await showNames(volume, new Set(files.map((file) => file.path.split('/')[0] ?? '')));
  if (before !== undefined && before !== folder)
    await rm(path.join(volume, before), { recursive: true, force: true });
}

async function holds(folder: string, files: readonly PayloadFile[]): Promise<boolean> {
  const present = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (present.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const file of files) {
    const content = await readFile(path.join(folder, file.path)).catch(() => undefined);
    if (content?.equals(file.content) !== true) return false;
  }
  return true;
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
