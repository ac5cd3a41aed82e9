import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Facts about GitLab that are kept beside the repository, not in it. */
export const referenceDir = path.resolve(
  process.env['UPDRAFT_REFERENCE'] ?? path.join(repository, '../shared/reference'),
  'gitlab',
);

export const hasReference = existsSync(referenceDir);

/** For the title of a skipped suite. */
export const skipReason = hasReference
  ? ''
  : ` (skipped: no ${referenceDir}; name it with UPDRAFT_REFERENCE)`;

export const readReference = <T>(file: string): T =>
  JSON.parse(readFileSync(path.join(referenceDir, file), 'utf8')) as T;
