import { readFile } from 'node:fs/promises';
import { codeOf, resolveInRoot } from '@updraft/kit';
import { BuildFailure } from '../failure.ts';
import { statusOf } from './merged-root.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** No account file is larger. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Finds `user[:group]` (names or numbers) in the account files of the image at `root`. Without a group it is the user's own, and
 * for a bare number the same number.
 * @throws BuildFailure when a name is unknown.
 */
export async function findOwner(root: string, text: string): Promise<Owner> {
  const [user = '', group] = text.split(':', 2);
  const account = await lookUp(root, 'etc/passwd', user);
  const uid = numeric(user) ?? numeric(account?.[2]);
  if (uid === undefined) throw new BuildFailure(`the image has no user ${user} in /etc/passwd`);
  if (!group) return { uid, gid: numeric(user) ?? numeric(account?.[3]) ?? uid };
  const gid = numeric(group) ?? numeric((await lookUp(root, 'etc/group', group))?.[2]);
  if (gid === undefined) throw new BuildFailure(`the image has no group ${group} in /etc/group`);
  return { uid, gid };
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
