import type { Finding, LintSeverity } from '../finding.ts';
import type { Formatter } from './all.ts';

const LEVEL: Readonly<Record<LintSeverity, string>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
  style: 'note',
  ignore: 'none',
};

/** SARIF 2.1.0, one run. */
export const sarif: Formatter = (files) => {
  const results = files.flatMap(({ file, findings }) => findings.map((finding) => toResult(file, finding)));
  const log = {
    version: '2.1.0',
    $schema: 'http://json.schemastore.org/sarif-2.1.0',
    runs: [{ tool: { driver: DRIVER }, results, defaultSourceLanguage: 'dockerfile' }],
  };
  return `${JSON.stringify(log)}\n`;
};

const DRIVER = {
  name: 'Hadolint',
  fullName: 'Updraft’s Dockerfile lint, with the rule codes of Hadolint 2.12',
  version: '2.12.0',
  downloadUri: 'https://github.com/hadolint/hadolint',
  shortDescription: { text: 'Rules for Dockerfiles, and ShellCheck’s for the scripts in them' },
};

function toResult(file: string, { code, severity, line, column, message }: Finding) {
  const region = {
    startLine: line,
    endLine: line,
    startColumn: column,
    endColumn: column,
    sourceLanguage: code.startsWith('SC') ? 'sh' : 'dockerfile',
  };
  return {
    ruleId: code,
    level: LEVEL[severity],
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: { uri: file }, region } }],
  };
}
