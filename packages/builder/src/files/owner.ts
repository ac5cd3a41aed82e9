import { readFile } from 'node:fs/promises';
import { codeOf, resolveInRoot } from '@updraft/kit';
import { statusOf } from './merged-root.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** No account file is larger. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Finds `user[:group]` (names or numbers) in the account files of the image at `root`. Without a group it is the user's own, and
 * for a bare number the same number. Unknown names are root, as for BuildKit; `warn` tells of them.
 */
export async function findOwner(root: string, text: string, warn: (message: string) => void): Promise<Owner> {
  const [user = '', group] = text.split(':', 2);
  const owner = await userNamed(root, user, warn);
  if (group === undefined) return owner;
  // What is left empty beside a colon is root's.
  if (group === '') return { uid: owner.uid, gid: 0 };
  const gid = numeric(group) ?? numeric((await lookUp(root, 'etc/group', group))?.[2]);
  if (gid === undefined) warn(`the image has no group ${group} in /etc/group; the user's is taken`);
  return { uid: owner.uid, gid: gid ?? owner.gid };
}

async function userNamed(root: string, user: string, warn: (message: string) => void): Promise<Owner> {
  const number = numeric(user);
  if (number !== undefined) return { uid: number, gid: number };
  const account = await lookUp(root, 'etc/passwd', user);
  const [uid, gid] = [numeric(account?.[2]), numeric(account?.[3])];
  if (uid === undefined && user !== '') warn(`the image has no user ${user} in /etc/passwd; root is taken`);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

/** Are there names in it that need an image's account files? */
export function hasNames(text: string): boolean {
  return text.split(':', 2).some((part) => part !== '' && numeric(part) === undefined);
}

function numeric(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The fields of the line that starts with `name`. */
async function lookUp(root: string, file: string, name: string): Promise<string[] | undefined> {
  const path = await resolveInRoot(root, file);
  const status = await statusOf(path);
  if (!status?.isFile() || status.size > MAX_BYTES) return undefined;
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(':'));
    return lines.find(([first]) => first === name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
