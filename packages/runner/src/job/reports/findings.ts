import { UnreadableReport, readPlainFile } from './plain-file.ts';

const LARGEST_BYTES = 20 * 1024 * 1024;

/** Adds what a Code Quality report (a list of issues) or a security report found. @throws UnreadableReport */
export async function readFindings(
  workspace: string,
  file: string,
  bySeverity: Map<string, number>,
): Promise<void> {
  const text = (await readPlainFile(workspace, file, LARGEST_BYTES)).toString('utf8');
  for (const finding of listOf(parse(text, file), file)) {
    const severity = severityOf(finding);
    bySeverity.set(severity, (bySeverity.get(severity) ?? 0) + 1);
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableReport(`${file} is no JSON`);
  }
}

function listOf(report: unknown, file: string): readonly unknown[] {
  if (Array.isArray(report)) return report;
  if (typeof report === 'object' && report !== null && 'vulnerabilities' in report) {
    if (Array.isArray(report.vulnerabilities)) return report.vulnerabilities;
  }
  throw new UnreadableReport(`${file} has neither a list of issues nor "vulnerabilities"`);
}

/** Lower case, from a known word only: the names become keys. */
function severityOf(finding: unknown): string {
  if (typeof finding !== 'object' || finding === null || !('severity' in finding)) return 'unknown';
  const word = typeof finding.severity === 'string' ? finding.severity.toLowerCase() : '';
  return SEVERITIES.has(word) ? word : 'unknown';
}

const SEVERITIES: ReadonlySet<string> = new Set([
  'blocker',
  'critical',
  'major',
  'minor',
  'high',
  'medium',
  'low',
  'info',
  'unknown',
]);
