import type { Formatter } from './all.ts';

/** One array. Keys in the original's order. */
export const json: Formatter = (files) => {
  const rows = files.flatMap(({ file, findings }) =>
    findings.map(({ code, column, severity, line, message }) => ({
      code,
      column,
      file,
      level: severity,
      line,
      message,
    })),
  );
  return `${JSON.stringify(rows)}\n`;
};

/** One object a line. */
export const codacy: Formatter = (files) =>
  files
    .flatMap(({ file, findings }) =>
      findings.map(({ code, line, message }) =>
        JSON.stringify({ filename: file, line, message, patternId: code }),
      ),
    )
    .map((row) => `${row}\n`)
    .join('');
