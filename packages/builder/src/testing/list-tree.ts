import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readAttributes } from '@updraft/pods';
import { linkOf, namesOf, raw } from '../files/raw-path.ts';

/** One line for each path below `root`: mode, owner, name, and what is in it: `644 0:0 app/a.txt = "text"`. */
export async function listTree(root: string, folder = ''): Promise<string[]> {
  const names = namesOf(path.join(root, folder)).toSorted();
  const lines = await Promise.all(names.map((name) => listEntry(root, path.join(folder, name))));
  return lines.flat();
}

async function listEntry(root: string, name: string): Promise<string[]> {
  const file = path.join(root, name);
  const status = await lstat(raw(file));
  const owner = `${status.uid}:${status.gid}`;
  if (status.isSymbolicLink()) return [`link ${owner} ${name} -> ${linkOf(file)}`];
  const mode = (status.mode & 0o7777).toString(8);
  if (status.isDirectory()) return [`${mode} ${owner} ${name}/`, ...(await listTree(root, name))];
  if (status.isFIFO()) return [`pipe ${mode} ${owner} ${name}`];
  if (!status.isFile()) return [`device ${mode} ${owner} ${name} ${status.rdev}`];
  // Programs of the tiny image need not be read.
  const content =
    status.size > 4096 ? `${status.size} bytes` : JSON.stringify(await readFile(raw(file), 'utf8'));
  const attributes = readAttributes(raw(file)).map(([key, value]) => ` ${key}=${value.toString('hex')}`);
  return [`${mode} ${owner} ${name} = ${content}${attributes.join('')}`];
}
