import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@updraft/kit';
import type { Artifacts } from '@updraft/gitlab-ci';
import { selectExpanded } from '../artifacts.ts';
import type { Ended } from '../artifacts.ts';
import { packFiles } from '../files.ts';
import type { Outcome } from '../outcome.ts';
import { parseDotenv } from './dotenv.ts';
import { UnreadableReport, readPlainFile } from './plain-file.ts';
import { readReport } from './read-reports.ts';
import type { ReportSummary } from './summary.ts';

/** Larger ones are refused by their size all the same. */
const LARGEST_DOTENV = 64 * 1024;

export interface KeptReports {
  readonly reports: readonly ReportSummary[];
  readonly dotenv: Readonly<Record<string, string>>;
  /** GitLab refuses the dotenv report, and with it the job. */
  readonly refused: Outcome | undefined;
}

/** Packs the files of every report beside the job's archive and reads them; whatever the outcome. */
export async function keepReports(artifacts: Artifacts, ended: Ended): Promise<KeptReports> {
  const reports: ReportSummary[] = [];
  let dotenv: Readonly<Record<string, string>> = {};
  let refused: Outcome | undefined;
  for (const [type, paths] of Object.entries(artifacts.reports)) {
    const files = await selectExpanded(ended, { paths, what: `reports:${type}` });
    const plain = files.filter((file) => !file.endsWith('/'));
    if (plain.length === 0) continue;
    const dir = path.join(ended.outputDir, 'reports');
    await mkdir(dir, { recursive: true });
    await packFiles(ended.workspace.dir, plain, path.join(dir, `${type}.tar`));
    if (type === 'dotenv') {
      const read = await readDotenv(plain, ended);
      dotenv = read.variables;
      refused = read.refused;
    }
    const summary = await readReport(ended.workspace.dir, type, plain);
    for (const problem of summary.problems) ended.log.warning(`reports:${type}: ${problem}`);
    reports.push(summary);
  }
  return { reports, dotenv, refused };
}

async function readDotenv(
  files: readonly string[],
  { workspace, log }: Ended,
): Promise<{ variables: Readonly<Record<string, string>>; refused: Outcome | undefined }> {
  let variables: Record<string, string> = {};
  for (const file of files) {
    const read = await dotenvOf(workspace.dir, file);
    if (read.kind === 'refused') {
      const reason = `GitLab refuses the dotenv report ${file}: ${read.why}`;
      log.line(`ERROR: ${reason}`);
      return { variables: {}, refused: { kind: 'failed', exitCode: 1, reason } };
    }
    if (read.warning !== undefined) log.warning(`${file}: ${read.warning}`);
    variables = { ...variables, ...read.variables };
  }
  return { variables, refused: undefined };
}

async function dotenvOf(workspace: string, file: string): Promise<ReturnType<typeof parseDotenv>> {
  try {
    return parseDotenv((await readPlainFile(workspace, file, LARGEST_DOTENV)).toString('utf8'));
  } catch (error) {
    if (error instanceof UnreadableReport) return { kind: 'refused', why: messageOf(error) };
    throw error;
  }
}
