import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf, resolveInRoot } from '@updraft/kit';

/** Who a container's process runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string | undefined;
}

/** The image has no such user or group: the image's fault, told as the container's outcome. */
export class UnknownUser extends Error {}

interface Account {
  readonly name: string;
  readonly id: number;
  readonly fields: readonly string[];
}

const MAX_ID = 0x7fffffff;
/** An account file is small; what is larger was put there to exhaust us. */
const MAX_FILE = 4 * 1024 * 1024;

/**
 * Looks up `user`, `uid`, `user:group` or `uid:gid` in the account files of the image mounted at `root`. As other
 * engines do: a number needs no account; the groups an account is member of are given only when no group was named.
 * @throws UnknownUser
 */
export async function findIdentity(root: string, user: string): Promise<Identity> {
  const [userPart, groupPart] = user.split(':', 2);
  const [users, groups] = await Promise.all([accounts(root, '/etc/passwd'), accounts(root, '/etc/group')]);
  const wanted = userPart || '0';
  const account = findAccount(users, wanted);
  const uid = account?.id ?? numericId(wanted);
  if (uid === undefined) {
    throw new UnknownUser(`unable to find user ${wanted}: no such entry in the image's /etc/passwd`);
  }
  const home = account?.fields[5] || undefined;
  if (groupPart) return { uid, gid: findGroup(groups, groupPart), groups: [], home };
  return {
    uid,
    gid: numericId(account?.fields[3] ?? '') ?? 0,
    groups: memberships(groups, account?.name),
    home,
  };
}

/** By name first: a name may consist of digits. */
function findAccount(users: readonly Account[], wanted: string): Account | undefined {
  return users.find((user) => user.name === wanted) ?? users.find((user) => user.id === numericId(wanted));
}

function memberships(groups: readonly Account[], name: string | undefined): number[] {
  if (name === undefined) return [];
  return groups.filter((group) => group.fields[3]?.split(',').includes(name)).map((group) => group.id);
}

function findGroup(groups: readonly Account[], wanted: string): number {
  const gid = groups.find((group) => group.name === wanted)?.id ?? numericId(wanted);
  if (gid === undefined)
    throw new UnknownUser(`unable to find group ${wanted}: no such entry in the image's /etc/group`);
  return gid;
}

function numericId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return id !== undefined && id <= MAX_ID ? id : undefined;
}

async function accounts(root: string, file: string): Promise<Account[]> {
  const text = await readInRoot(root, file);
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(':');
    const [name = ''] = fields;
    const id = numericId(fields[2] ?? '');
    return name === '' || name.startsWith('#') || id === undefined ? [] : [{ name, id, fields }];
  });
}

/** Reads a regular file as the image would see it; the image may hold links out of its root, pipes or devices. */
async function readInRoot(root: string, file: string): Promise<string> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(await resolveInRoot(root, file), flags);
    try {
      const status = await handle.stat();
      if (!status.isFile() || status.size > MAX_FILE) return '';
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'TOO_MANY_LINKS'].includes(codeOf(error) ?? '')) return '';
    throw error;
  }
}
