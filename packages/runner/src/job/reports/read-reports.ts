import { messageOf } from '@updraft/kit';
import { readCoverageReport } from './coverage-report.ts';
import { readFindings } from './findings.ts';
import { noTests, readJunit } from './junit.ts';
import { UnreadableReport } from './plain-file.ts';
import type { ReportSummary } from './summary.ts';

const FINDINGS: ReadonlySet<string> = new Set([
  'codequality',
  'sast',
  'secret_detection',
  'dependency_scanning',
  'container_scanning',
  'cluster_image_scanning',
  'dast',
  'api_fuzzing',
  'coverage_fuzzing',
]);

/** Reads the files of one report. One that cannot be read is a problem in the summary, never a failure. */
export async function readReport(
  workspace: string,
  type: string,
  files: readonly string[],
): Promise<ReportSummary> {
  const problems: string[] = [];
  const each = async (read: (file: string) => Promise<void>) => {
    for (const file of files) await read(file).catch((error: unknown) => problems.push(problemOf(error)));
  };
  const base = { type, files: files.length, problems };
  if (type === 'junit') {
    const counts = noTests();
    await each((file) => readJunit(workspace, file, counts));
    return { kind: 'tests', ...base, ...counts, seconds: Math.round(counts.seconds * 1000) / 1000 };
  }
  if (type === 'coverage_report' || type === 'cobertura') {
    const lines = { covered: 0, valid: 0, rate: undefined };
    await each((file) => readCoverageReport(workspace, file, lines));
    return { kind: 'coverage', ...base, ...ratesOf(lines) };
  }
  if (FINDINGS.has(type)) {
    const bySeverity = new Map<string, number>();
    await each((file) => readFindings(workspace, file, bySeverity));
    const total = [...bySeverity.values()].reduce((sum, count) => sum + count, 0);
    return { kind: 'findings', ...base, total, bySeverity: Object.fromEntries(bySeverity) };
  }
  return { kind: 'kept', ...base };
}

function ratesOf({ covered, valid, rate }: { covered: number; valid: number; rate: number | undefined }) {
  if (valid === 0) return { lineRate: rate, linesCovered: undefined, linesValid: undefined };
  return { lineRate: covered / valid, linesCovered: covered, linesValid: valid };
}

function problemOf(error: unknown): string {
  if (error instanceof UnreadableReport) return error.message;
  return `a report could not be read: ${messageOf(error)}`;
}
