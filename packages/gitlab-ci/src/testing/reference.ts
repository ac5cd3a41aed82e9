/* oxlint-disable no-restricted-imports -- the room is pure; its tests read their cases from the disk, here only. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const room = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Facts about GitLab that are kept beside the repository, not in it. */
const referenceDir = path.resolve(
  process.env['UPDRAFT_REFERENCE'] ?? path.join(room, '../../../shared/reference'),
  'gitlab',
);

export const hasReference = existsSync(referenceDir);

/** For the title of a skipped suite. */
export const skipReason = hasReference
  ? ''
  : ` (skipped: no ${referenceDir}; name it with UPDRAFT_REFERENCE)`;

export const readReference = (file: string): string => readFileSync(path.join(referenceDir, file), 'utf8');

export const listReference = (folder: string): string[] =>
  hasReference ? filesIn(path.join(referenceDir, folder)) : [];

/** A folder of this room, as a commit's files: path -> text. */
export function readFolder(folder: string): ReadonlyMap<string, string> {
  const dir = path.join(room, folder);
  return new Map(filesIn(dir).map((file) => [file, readFileSync(path.join(dir, file), 'utf8')]));
}

export const listFolders = (folder: string): string[] =>
  readdirSync(path.join(room, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
