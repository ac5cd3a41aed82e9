/** As Hadolint ranks them; `ignore` findings exist but are not shown. */
export type LintSeverity = 'error' | 'warning' | 'info' | 'style' | 'ignore';

/** What a rule objects to. Plain data; sorted by line and code when it comes out of `lintDockerfile`. */
export interface Finding {
  /** `DL3008`, `SC2086`; `DL1000` when the Dockerfile does not parse. */
  readonly code: string;
  readonly severity: LintSeverity;
  /** Where the instruction starts; for DL1000 where the parser stumbled. Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Strictest first. */
export const SEVERITIES: readonly LintSeverity[] = ['error', 'warning', 'info', 'style', 'ignore'];

/** Is `severity` as bad as `threshold`, or worse? */
export function atLeast(severity: LintSeverity, threshold: LintSeverity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);
}
