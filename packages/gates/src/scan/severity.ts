/** Worst last: the order reports count them in. */
export const SEVERITIES = ['UNKNOWN', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Reads the names that vendors use. */
export function toSeverity(text: unknown): Severity | undefined {
  if (typeof text !== 'string') return undefined;
  const name = text.trim().toUpperCase();
  if (name === 'MODERATE') return 'MEDIUM';
  if (name === 'IMPORTANT') return 'HIGH';
  if (name === 'UNIMPORTANT' || name === 'NEGLIGIBLE') return 'LOW';
  return SEVERITIES.find((severity) => severity === name);
}

/** The bands of the CVSS specification. */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'CRITICAL';
  if (score >= 7) return 'HIGH';
  if (score >= 4) return 'MEDIUM';
  return score > 0 ? 'LOW' : 'UNKNOWN';
}

export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
