import { stat } from 'node:fs/promises';
import path from 'node:path';
import { run, writeFileAtomic } from '@updraft/kit';
import { expandAsRunner, expandVariables } from '@updraft/gitlab-ci';
import type { Artifacts, Job } from '@updraft/gitlab-ci';
import { packFiles, unpackFiles } from './files.ts';
import { selectFiles } from './selection.ts';
import type { Selection } from './selection.ts';
import type { JobLog } from './log.ts';
import type { ArtifactsRecord, Outcome } from './outcome.ts';
import type { Workspace } from './workspace.ts';

type Values = Readonly<Record<string, string>>;

/** What earlier jobs give to a job. */
export interface IncomingArtifacts {
  readonly archives: readonly { readonly job: string; readonly file: string }[];
  readonly dotenv: Readonly<Record<string, string>>;
}

export const ARCHIVE = 'artifacts.tar';
/** Beside the archive: an ArtifactsRecord. */
export const ARTIFACTS_RECORD = 'artifacts.json';

/** A job that has ended, and what it left in its workspace. */
export interface Ended {
  readonly job: Job;
  readonly workspace: Workspace;
  /** CI_PROJECT_DIR as the job saw it. */
  readonly projectDir: string;
  readonly values: Values;
  readonly log: JobLog;
  readonly outcome: Outcome;
  /** Where its archive and reports go. */
  readonly outputDir: string;
  readonly now: number;
}

/** Unpacks the archives in order: a later job's file replaces an earlier one's. */
export async function restoreArtifacts(
  incoming: IncomingArtifacts,
  workspace: Workspace,
  log: JobLog,
): Promise<void> {
  for (const { job, file } of incoming.archives) {
    const { leftOut } = await unpackFiles(file, workspace.dir);
    if (leftOut > 0) log.warning(`${leftOut} artifacts of ${job} lead out of the project folder: left out`);
  }
}

/** Files that git does not track, ignored ones among them (`untracked: true`). */
async function untrackedFiles(workspace: Workspace, log: JobLog): Promise<readonly string[]> {
  const safe = ['-c', `safe.directory=${workspace.dir}`, '-c', 'core.fsmonitor=false', '-C', workspace.dir];
  const result = await run('git', [...safe, 'ls-files', '--others', '-z']);
  if (result.code !== 0) log.warning(`untracked: git cannot tell: ${result.stderr.trim()}`);
  return result.stdout.split('\0').filter(Boolean);
}

/** `when: on_success | on_failure | always` of artifacts and caches. */
export function isWanted(when: 'on_success' | 'on_failure' | 'always', outcome: Outcome): boolean {
  return when === 'always' || (when === 'on_success') === (outcome.kind === 'passed');
}

/** What `paths`, `exclude` and `untracked` select once their variables are expanded; what they miss is said. */
export async function selectExpanded(
  ended: Pick<Ended, 'workspace' | 'projectDir' | 'values' | 'log'>,
  asked: { paths: readonly string[]; exclude?: readonly string[]; untracked?: boolean; what: string },
): Promise<readonly string[]> {
  const { workspace, projectDir, values, log } = ended;
  const expand = (patterns: readonly string[]) =>
    patterns.map((pattern) => expandAsRunner(pattern, values)).filter((pattern) => pattern !== '');
  const selection: Selection = {
    paths: expand(asked.paths),
    exclude: expand(asked.exclude ?? []),
    untracked: asked.untracked ? await untrackedFiles(workspace, log) : [],
    projectDir,
  };
  const { files, missing, outside, unnameable } = await selectFiles(workspace.dir, selection);
  for (const pattern of missing) log.warning(`${pattern}: no matching files for ${asked.what}`);
  for (const pattern of outside) log.warning(`${pattern}: lies outside of the project folder; left out`);
  if (unnameable > 0)
    log.warning(`${unnameable} files whose names are no UTF-8 are left out of ${asked.what}`);
  return files;
}

/** Packs what `artifacts:` asks for after this outcome. undefined: there is nothing to keep. */
export async function keepArtifacts(
  artifacts: Artifacts,
  ended: Ended,
): Promise<ArtifactsRecord | undefined> {
  const { workspace, values, log, outputDir, job } = ended;
  if (!isWanted(artifacts.when, ended.outcome)) return undefined;
  if (artifacts.paths.length === 0 && !artifacts.untracked) return undefined;
  const { paths, exclude, untracked } = artifacts;
  const files = await selectExpanded(ended, { paths, exclude, untracked, what: 'artifacts' });
  if (files.length === 0) return undefined;
  const archive = path.join(outputDir, ARCHIVE);
  await packFiles(workspace.dir, files, archive);
  const record: ArtifactsRecord = {
    name: expandAsRunner(artifacts.name ?? '', values) || 'artifacts',
    files: files.length,
    bytes: (await stat(archive)).size,
    exposeAs: artifacts.exposeAs,
    expiresAt:
      artifacts.expireInSeconds === undefined ? undefined : ended.now + artifacts.expireInSeconds * 1000,
  };
  await writeFileAtomic(path.join(outputDir, ARTIFACTS_RECORD), JSON.stringify(record));
  log.line(`Kept ${files.length} files as artifacts`);
  if (artifacts.access !== undefined && artifacts.access !== 'all') {
    log.line(`NOTE: artifacts:access: ${artifacts.access} has no effect here: this machine has one user`);
  }
  if (job.pages) log.line(pagesNote(job.pages, values));
  return record;
}

function pagesNote(pages: NonNullable<Job['pages']>, values: Values): string {
  const folder = expandVariables(pages.publish, values);
  const prefix = expandVariables(pages.pathPrefix ?? '', values);
  const url = [values['CI_PAGES_URL'] ?? 'its Pages address', prefix].filter(Boolean).join('/');
  return `NOTE: GitLab would publish the folder ${folder} at ${url}; here it is kept with the artifacts`;
}
