import type { FileFindings, Formatter } from './all.ts';
import type { Finding } from '../finding.ts';

/** `FILE:LINE CODE level: text`; a parse error as `FILE:LINE:COLUMN text`. */
export const tty: Formatter = (files) =>
  everyLine(files, (file, { code, line, column, severity, message }) =>
    code === 'DL1000'
      ? `${file}:${line}:${column} ${message}`
      : `${file}:${line} ${code} ${severity}: ${message}`,
  );

/** As GNU programs print errors, so that editors find the line. */
export const gnu: Formatter = (files) =>
  everyLine(files, (file, { code, line, column, severity, message }) =>
    code === 'DL1000'
      ? `hadolint:${file}:${line}:${column}: ${message}`
      : `hadolint:${file}:${line}: ${code} ${severity}: ${message}`,
  );

function everyLine(files: readonly FileFindings[], line: (file: string, finding: Finding) => string): string {
  return files
    .flatMap(({ file, findings }) => findings.map((finding) => `${line(file, finding)}\n`))
    .join('');
}
