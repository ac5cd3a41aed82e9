import type { LintSeverity } from '../finding.ts';
import type { Formatter } from './all.ts';

const SEVERITY: Readonly<Record<LintSeverity, string>> = {
  error: 'CRITICAL',
  warning: 'MAJOR',
  info: 'MINOR',
  style: 'INFO',
  ignore: 'INFO',
};

/** SonarQube's generic issues. */
export const sonarqube: Formatter = (files) => {
  const issues = files.flatMap(({ file, findings }) =>
    findings.map(({ code, severity, line, message }) => ({
      engineId: 'Hadolint',
      ruleId: code,
      severity: code === 'DL1000' ? 'BLOCKER' : SEVERITY[severity],
      type: severity === 'error' ? 'BUG' : 'CODE_SMELL',
      primaryLocation: {
        message,
        filePath: file,
        textRange: { startLine: line, endLine: line, startColumn: 0, endColumn: 1 },
      },
    })),
  );
  return `${JSON.stringify({ issues })}\n`;
};
