import { chmod, lchown, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { openEntry, openPlace, placeOf } from './inside.ts';

const SET_GID = 0o2000;
const GROUP_READ_WRITE = 0o660;
const GROUP_SEARCH = 0o110;
/** One handle is open for each level; a path cannot be as long as this is deep. */
const MAX_DEPTH = 2048;

interface Gift {
  readonly group: number;
  readonly readOnly: boolean;
}

/**
 * `fsGroup`: everything in the volume belongs to the group, which may read and write it (only read what is read-only), and
 * what is made later inherits the group. Other pods may be changing the volume: a file that becomes a link meanwhile
 * does not lead out of it.
 */
export async function giveToGroup(
  volume: string,
  group: number,
  { readOnly, onRootMismatch = false }: { readOnly: boolean; onRootMismatch?: boolean },
): Promise<void> {
  const root = await openPlace(volume);
  try {
    const status = await root.stat();
    if (onRootMismatch && isGiven(status, group)) return;
    if (status.gid !== group) await lchown(volume, status.uid, group);
    await giveFolder(root, { group, readOnly });
  } finally {
    await root.close();
  }
}

async function giveFolder(folder: FileHandle, gift: Gift, depth = 0): Promise<void> {
  if (depth > MAX_DEPTH) throw new Error(`the volume is more than ${MAX_DEPTH} folders deep`);
  const { mode } = await folder.stat();
  await chmod(placeOf(folder), (mode | bitsOf(gift) | SET_GID | GROUP_SEARCH) & 0o7777);
  for (const name of await readdir(placeOf(folder))) await giveEntry(folder, name, { gift, depth });
}

async function giveEntry(
  folder: FileHandle,
  name: string,
  { gift, depth }: { gift: Gift; depth: number },
): Promise<void> {
  const entry = await openEntry(folder, name).catch((error: unknown) => {
    // Gone meanwhile.
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!entry) return;
  try {
    const status = await entry.stat();
    if (status.gid !== gift.group)
      await changeGroup(path.join(placeOf(folder), name), status.uid, gift.group);
    if (status.isDirectory()) await giveFolder(entry, gift, depth + 1);
    else if (status.isFile()) await chmod(placeOf(entry), (status.mode | bitsOf(gift)) & 0o7777);
  } finally {
    await entry.close();
  }
}

/** By name, as a link's own group is changed: of whatever has this name in this folder, never of what it leads to. */
async function changeGroup(place: string, owner: number, group: number): Promise<void> {
  try {
    await lchown(place, owner, group);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

const bitsOf = ({ readOnly }: Gift) => (readOnly ? 0o440 : GROUP_READ_WRITE);

/** The volume's own folder tells whether everything in it was given before. */
function isGiven({ gid, mode }: { gid: number; mode: number }, group: number): boolean {
  const wanted = SET_GID | GROUP_READ_WRITE | GROUP_SEARCH;
  return gid === group && (mode & wanted) === wanted;
}
