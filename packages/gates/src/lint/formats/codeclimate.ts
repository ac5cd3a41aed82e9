import { createHash } from 'node:crypto';
import type { Finding, LintSeverity } from '../finding.ts';
import type { FileFindings, Formatter } from './all.ts';

const IMPACT: Readonly<Record<LintSeverity, string>> = {
  error: 'blocker',
  warning: 'major',
  info: 'info',
  style: 'minor',
  ignore: '',
};

/** Issues, each ended by a NUL. */
export const codeclimate: Formatter = (files) =>
  issues(files)
    .map((issue) => `${JSON.stringify(issue)}\0`)
    .join('');

/** One array with fingerprints: what GitLab's code quality report reads. Equal issues get fingerprints of their own. */
export const gitlabCodeclimate: Formatter = (files) => {
  const seen = new Map<string, number>();
  const rows = issues(files).map((issue) => {
    const text = JSON.stringify(issue);
    const count = seen.get(text) ?? 0;
    seen.set(text, count + 1);
    const fingerprint = createHash('sha1')
      .update(count === 0 ? text : `${text}#${count}`)
      .digest('hex');
    return { fingerprint, ...issue };
  });
  return `${JSON.stringify(rows)}\n`;
};

function issues(files: readonly FileFindings[]) {
  return files.flatMap(({ file, findings }) =>
    findings.map((finding) => ({
      type: 'issue',
      check_name: finding.code,
      description: finding.message,
      categories: ['Bug Risk'],
      location: location(file, finding),
      severity: IMPACT[finding.severity],
    })),
  );
}

function location(path: string, { code, line, column }: Finding) {
  if (code !== 'DL1000') return { path, lines: { begin: line, end: line } };
  return { path, positions: { begin: { line, column }, end: { line, column } } };
}
