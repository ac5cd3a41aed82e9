import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { run } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import type { Artifacts } from '@updraft/gitlab-ci';
import { parseDotenv } from './dotenv.ts';
import { packFiles, selectFiles, unpackFiles } from './files.ts';
import type { JobLog } from './log.ts';
import type { Outcome } from './outcome.ts';
import type { Workspace } from './workspace.ts';
import type { JobEnvironment } from './variables.ts';
import type { Execution } from './execute.ts';

/** What earlier jobs give to a job. */
export interface IncomingArtifacts {
  readonly archives: readonly { readonly job: string; readonly file: string }[];
  readonly dotenv: Readonly<Record<string, string>>;
}

export const ARCHIVE = 'artifacts.tar';

/** Unpacks the archives in order: a later job's file replaces an earlier one's. */
export async function restoreArtifacts(
  incoming: IncomingArtifacts,
  workspace: Workspace,
  log: JobLog,
): Promise<void> {
  for (const { job, file } of incoming.archives) {
    const { leftOut } = await unpackFiles(file, workspace.dir);
    if (leftOut > 0)
      log.line(`WARNING: ${leftOut} artifacts of ${job} lead out of the project folder: left out`);
  }
}

/** Files that git does not track, ignored ones among them (`untracked: true`). */
export async function untrackedFiles(workspace: Workspace): Promise<readonly string[]> {
  const safe = ['-c', `safe.directory=${workspace.dir}`, '-C', workspace.dir];
  const result = await run('git', [...safe, 'ls-files', '--others', '-z']);
  return result.stdout.split('\0').filter(Boolean);
}

interface Ended {
  readonly workspace: Workspace;
  readonly environment: JobEnvironment;
  readonly log: JobLog;
  readonly outcome: Outcome;
}

/** Packs what `artifacts:` asks for and reads the reports. Reports are taken whatever the outcome. */
export async function collectArtifacts(
  execution: Execution,
  ended: Ended,
): Promise<{ dotenv: Readonly<Record<string, string>> }> {
  const { artifacts } = execution.input.job;
  if (artifacts === undefined || ended.outcome.kind === 'canceled') return { dotenv: {} };
  if (isWanted(artifacts.when, ended.outcome)) await packArtifacts(execution, artifacts, ended);
  await packReports(execution, artifacts, ended);
  return { dotenv: await readDotenv(artifacts, ended) };
}

/** `when: on_success | on_failure | always` of artifacts and caches. */
export function isWanted(when: 'on_success' | 'on_failure' | 'always', outcome: Outcome): boolean {
  return when === 'always' || (when === 'on_success') === (outcome.kind === 'passed');
}

async function packArtifacts(execution: Execution, artifacts: Artifacts, ended: Ended): Promise<void> {
  const { workspace, environment, log } = ended;
  const expand = (patterns: readonly string[]) =>
    patterns.map((pattern) => expandVariables(pattern, environment.values));
  const untracked = artifacts.untracked ? await untrackedFiles(workspace) : [];
  const { files, missing } = await selectFiles(workspace.dir, {
    paths: expand(artifacts.paths),
    exclude: expand(artifacts.exclude),
    untracked,
  });
  for (const pattern of missing) log.line(`WARNING: ${pattern}: no matching files for artifacts`);
  if (files.length === 0) return;
  await packFiles(workspace.dir, files, path.join(execution.outputDir, ARCHIVE));
  log.line(`Kept ${files.length} files as artifacts`);
}

async function packReports(execution: Execution, artifacts: Artifacts, ended: Ended): Promise<void> {
  for (const [type, paths] of Object.entries(artifacts.reports)) {
    const patterns = paths.map((pattern) => expandVariables(pattern, ended.environment.values));
    const selection = { paths: patterns, exclude: [], untracked: [] };
    const { files, missing } = await selectFiles(ended.workspace.dir, selection);
    for (const pattern of missing)
      ended.log.line(`WARNING: ${pattern}: no matching files for reports:${type}`);
    if (files.length === 0) continue;
    await mkdir(path.join(execution.outputDir, 'reports'), { recursive: true });
    await packFiles(ended.workspace.dir, files, path.join(execution.outputDir, 'reports', `${type}.tar`));
  }
}

async function readDotenv(artifacts: Artifacts, ended: Ended): Promise<Readonly<Record<string, string>>> {
  const patterns = artifacts.reports['dotenv'] ?? [];
  const selection = { paths: patterns, exclude: [], untracked: [] };
  const { files } = await selectFiles(ended.workspace.dir, selection);
  let variables: Record<string, string> = {};
  for (const file of files) {
    const parsed = parseDotenv(await readPlainFile(path.join(ended.workspace.dir, file)));
    for (const line of parsed.refused) {
      ended.log.line(`WARNING: ${file}: not KEY=value, left out: ${line.slice(0, 60)}`);
    }
    variables = { ...variables, ...parsed.variables };
  }
  return variables;
}

/** Never through a link: the job's files must not choose which of the host's files is read. */
async function readPlainFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
