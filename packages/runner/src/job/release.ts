import path from 'node:path';
import { timestamp, writeFileAtomic } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import type { ReleaseRequest } from '@updraft/gitlab-ci';
import type { JobLog } from './log.ts';
import type { ReleaseRecord } from './outcome.ts';
import { UnreadableReport, readPlainFile } from './reports/plain-file.ts';

const LARGEST_DESCRIPTION = 1024 * 1024;

export interface ReleasePlace {
  readonly workspaceDir: string;
  readonly values: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly outputDir: string;
  readonly now: number;
}

/** Records what GitLab would make; neither a release nor a tag is made in anyone's repository. */
export async function recordRelease(request: ReleaseRequest, place: ReleasePlace): Promise<ReleaseRecord> {
  const { values, log } = place;
  const expand = (text: string) => expandVariables(text, values);
  const tagName = expand(request.tagName);
  const record: ReleaseRecord = {
    tagName,
    name: expand(request.name ?? '') || tagName,
    description: await describe(expand(request.description), place.workspaceDir),
    ref: expand(request.ref ?? '') || (values['CI_COMMIT_SHA'] ?? ''),
    tagMessage: request.tagMessage === undefined ? undefined : expand(request.tagMessage),
    createdAt: timestamp(place.now),
  };
  await writeFileAtomic(path.join(place.outputDir, 'release.json'), JSON.stringify(record));
  log.line(`Release ${record.name}: GitLab would make it at the tag ${record.tagName} (${record.ref})`);
  log.line('NOTE: here it is only recorded; the repository gets no tag');
  return record;
}

/** A description may name a file of the project that holds it. */
async function describe(text: string, workspaceDir: string): Promise<string> {
  if (text.includes('\n') || text.length > 255) return text;
  try {
    return (await readPlainFile(workspaceDir, text, LARGEST_DESCRIPTION)).toString('utf8');
  } catch (error) {
    if (error instanceof UnreadableReport) return text;
    throw error;
  }
}
