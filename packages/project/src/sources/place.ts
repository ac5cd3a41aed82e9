import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Answer, CommitFacts } from '@updraft/gitlab-ci';
import { codeOf, resolveInRoot } from '@updraft/kit';
import type { ProjectContext } from '../pipeline.ts';
import { SETTINGS_FILE } from '../settings.ts';
import type { ProjectSettings } from '../settings.ts';

/** What every source needs to know. */
export interface Place {
  readonly dir: string;
  readonly facts: CommitFacts;
  readonly settings: ProjectSettings;
  readonly uncommitted: readonly string[];
  readonly context: ProjectContext;
}

/** More is no configuration. */
export const FILE_LIMIT_BYTES = 2 * 1024 * 1024;

export const unavailable = (message: string, next?: string): Answer => ({
  kind: 'unavailable',
  message,
  ...(next === undefined ? {} : { next }),
});

/** What the user can do about a file of another place that cannot be fetched. */
export const overrideHint = (key: string, example: string): string =>
  `A copy on this machine can stand for it: in ${SETTINGS_FILE}, includes: { ${JSON.stringify(key)}: ${example} }.`;

/** `host` or `host:port` of the project's server; undefined without a remote. */
export const hostOf = ({ projectUrl }: CommitFacts): string | undefined =>
  projectUrl === undefined ? undefined : new URL(projectUrl).host;

/** A file below a folder that stands for another place; links do not lead out of it. */
export async function readBelow(folder: string, file: string): Promise<string | undefined> {
  return readLocal(await resolveInRoot(folder, file));
}

/** A file of this machine; undefined when there is none. */
export async function readLocal(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const status = await handle.stat();
      return status.isFile() && status.size <= FILE_LIMIT_BYTES ? await handle.readFile('utf8') : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** All files below a folder but those of git. */
export async function listBelow(folder: string): Promise<readonly string[] | undefined> {
  const status = await stat(folder).catch(() => undefined);
  if (!status?.isDirectory()) return undefined;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split('/').includes('.git'))
    .toSorted();
}
