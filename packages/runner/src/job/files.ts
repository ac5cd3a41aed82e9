import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault, diskFault, run } from '@updraft/kit';
import { staysInside } from './selection.ts';

/** Packs files of a workspace into an archive, all or nothing. @throws Fault DISK_FULL, ARCHIVE_FAILED */
export async function packFiles(workspace: string, files: readonly string[], archive: string): Promise<void> {
  await mkdir(path.dirname(archive), { recursive: true });
  const temporary = `${archive}.${randomBytes(4).toString('hex')}.part`;
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
 * repository must not be able to send another job's artifact outside. @param folders all that the archive's files lie
 * in, when that is known: saves reading it twice. @returns how many were left out.
 */
export async function unpackFiles(
  archive: string,
  workspace: string,
  folders?: readonly string[],
): Promise<{ leftOut: number }> {
  const safeFolders = new SafeFolders(workspace);
  if (folders && (await safeFolders.areAll(folders))) {
    await extract(archive, workspace, []);
    return { leftOut: 0 };
  }
  const names = await archivedNames(archive);
  const safe: string[] = [];
  for (const name of names) {
    if (await safeFolders.is(path.dirname(name))) safe.push(name);
  }
  if (safe.length > 0) await extract(archive, workspace, safe.length < names.length ? safe : []);
  return { leftOut: names.length - safe.length };
}

/** Which folders of a workspace no link leads to. */
class SafeFolders {
  readonly #workspace: string;
  readonly #known = new Map<string, boolean>();

  constructor(workspace: string) {
    this.#workspace = workspace;
  }

  async is(folder: string): Promise<boolean> {
    const known = this.#known.get(folder) ?? (await staysInside(this.#workspace, `${folder}/file`));
    this.#known.set(folder, known);
    return known;
  }

  async areAll(folders: readonly string[]): Promise<boolean> {
    for (const folder of folders) {
      if (!(await this.is(folder))) return false;
    }
    return true;
  }
}

/** @param only names of entries; none: all */
async function extract(archive: string, workspace: string, only: readonly string[]): Promise<void> {
  const args = ['--extract', '--file', archive, '--directory', workspace, '--no-same-owner'];
  if (only.length > 0) args.push('--null', '--verbatim-files-from', '--files-from', '-');
  const result = await run('tar', args, { input: only.map((name) => `${name}\0`).join('') });
  if (result.code !== 0) throw archiveFault('unpacking', archive, result.stderr);
}

/** Names as `packFiles` gave them to the archive: `./a/b`. */
export async function archivedNames(archive: string): Promise<readonly string[]> {
  const listing = await run('tar', ['--list', '--file', archive, '--quoting-style=escape'], {});
  if (listing.code !== 0) throw archiveFault('reading', archive, listing.stderr);
  return listing.stdout.split('\n').filter(Boolean).map(unescaped);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** As tar writes names that do not fit into a line. */
const unescaped = (name: string): string =>
  name.replaceAll(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCodePoint(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  );

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
