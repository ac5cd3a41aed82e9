import calculator from 'ae-cvss-calculator';

/** What a vector of each version has to say before it has a score. */
const NEEDED: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^CVSS:3\.[01]\//, ['AV', 'AC', 'PR', 'UI', 'S', 'C', 'I', 'A']],
  [/^CVSS:4\.0\//, ['AV', 'AC', 'AT', 'PR', 'UI', 'VC', 'VI', 'VA', 'SC', 'SI', 'SA']],
  [/^\(?AV:/, ['AV', 'AC', 'Au', 'C', 'I', 'A']],
];

const scores = new Map<string, number | undefined>();

/** The base score of a CVSS vector (2.0, 3.x or 4.0); undefined for anything else, or a vector with holes. */
export function cvssScore(vector: string): number | undefined {
  // Vectors repeat a lot, and a whole database is read at once.
  if (!scores.has(vector)) scores.set(vector, compute(vector));
  return scores.get(vector);
}

function compute(vector: string): number | undefined {
  const metrics = new Set(
    vector
      .replaceAll(/[()]/g, '')
      .split('/')
      .map((part) => part.split(':')[0]),
  );
  const needed = NEEDED.find(([pattern]) => pattern.test(vector))?.[1];
  if (needed === undefined || !needed.every((metric) => metrics.has(metric))) return undefined;
  const found = calculator.fromVector(vector)?.calculateScores(false);
  return found === undefined ? undefined : 'baseMetricsOnly' in found ? found.baseMetricsOnly : found.base;
}
