import path from 'node:path';
import { resolveInRoot } from '@updraft/kit';
import { compileGlob, isGlob } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import { namesIn, statusOf } from './merged-root.ts';
import type { SourceRoot } from './source-tree.ts';

/**
 * The names in `root` that a source pattern stands for, sorted. Links before the first wildcard are followed inside the root;
 * after it a link to a folder is no folder.
 */
export async function findMatches(root: SourceRoot, pattern: string): Promise<string[]> {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  let found: string[] = [''];
  let afterWildcard = false;
  for (const part of parts) {
    const follow = !afterWildcard;
    const next = await Promise.all(found.map((folder) => expandPart(root, folder, part, follow)));
    found = [...new Set(next.flat())];
    afterWildcard ||= isGlob(part);
  }
  return found.filter((name) => !isIgnored(root, name)).toSorted();
}

async function expandPart(
  root: SourceRoot,
  folder: string,
  part: string,
  follow: boolean,
): Promise<string[]> {
  if (part === '..') return [path.dirname(folder) === '.' ? '' : path.dirname(folder)];
  const absolute = follow ? await resolveInRoot(root.path, folder) : path.join(root.path, folder);
  if (!follow && (await statusOf(absolute))?.isDirectory() !== true) return [];
  if (!isGlob(part)) {
    const name = path.join(folder, part);
    return (await statusOf(path.join(absolute, part))) ? [name] : [];
  }
  const matches = compileGlob(part);
  if (!matches) throw new BuildFailure(`${part} is no valid pattern`);
  return (await namesIn(absolute)).filter(matches).map((name) => path.join(folder, name));
}

/** Ignored itself, and nothing below it that comes back. */
function isIgnored(root: SourceRoot, name: string): boolean {
  return name !== '' && root.ignore?.(name) === true && !root.ignore.hasExceptions;
}
