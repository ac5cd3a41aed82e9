import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

const SET_GID = 0o2000;
const GROUP_READ_WRITE = 0o660;
const GROUP_SEARCH = 0o110;

/**
 * `fsGroup`: everything in the volume belongs to the group, which may read and write it (only read what is read-only), and
 * what is made later inherits the group.
 */
export async function giveToGroup(
  volume: string,
  group: number,
  { readOnly, onRootMismatch = false }: { readOnly: boolean; onRootMismatch?: boolean },
): Promise<void> {
  const status = await lstat(volume);
  if (onRootMismatch && isGiven(status, group)) return;
  if (status.uid !== undefined && status.gid !== group) await lchown(volume, status.uid, group);
  if (status.isSymbolicLink()) return;
  const wanted = status.mode | (readOnly ? 0o440 : GROUP_READ_WRITE);
  if (!status.isDirectory()) {
    if (status.isFile()) await chmod(volume, wanted & 0o7777);
    return;
  }
  await chmod(volume, (wanted | SET_GID | GROUP_SEARCH) & 0o7777);
  for (const name of await readdir(volume)) await giveToGroup(path.join(volume, name), group, { readOnly });
}

/** The volume's own folder tells whether everything in it was given before. */
function isGiven({ gid, mode }: { gid: number; mode: number }, group: number): boolean {
  const wanted = SET_GID | GROUP_READ_WRITE | GROUP_SEARCH;
  return gid === group && (mode & wanted) === wanted;
}
