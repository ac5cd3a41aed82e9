const WEIGHTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};

const PRIVILEGES: Readonly<Record<string, readonly [unchanged: number, changed: number]>> = {
  N: [0.85, 0.85],
  L: [0.62, 0.68],
  H: [0.27, 0.5],
};

/** The base score of a CVSS 3.0 or 3.1 vector; undefined for another version or a vector with holes. */
export function cvss3Score(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined;
  const metrics = new Map(vector.split('/').slice(1).map(splitMetric));
  const isChanged = metrics.get('S') === 'C';
  const weights = Object.entries(WEIGHTS).map(([metric, values]) => values[metrics.get(metric) ?? '']);
  const all = [...weights, PRIVILEGES[metrics.get('PR') ?? '']?.[isChanged ? 1 : 0]];
  const known = all.filter((weight) => weight !== undefined);
  if (known.length < all.length || !metrics.has('S')) return undefined;
  return scoreOf(known, isChanged);
}

/** Weights in the order of `WEIGHTS`, then that of the privileges. */
function scoreOf(
  [av = 0, ac = 0, ui = 0, c = 0, i = 0, a = 0, pr = 0]: readonly number[],
  isChanged: boolean,
): number {
  const exploitability = 8.22 * av * ac * pr * ui;
  return baseScore({ exploitability, loss: 1 - (1 - c) * (1 - i) * (1 - a), isChanged });
}

function splitMetric(part: string): [string, string] {
  const [name = '', value = ''] = part.split(':');
  return [name, value];
}

function baseScore({
  exploitability,
  loss,
  isChanged,
}: {
  exploitability: number;
  loss: number;
  isChanged: boolean;
}): number {
  const impact = isChanged ? 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15 : 6.42 * loss;
  if (impact <= 0) return 0;
  const sum = impact + exploitability;
  return roundUp(Math.min(isChanged ? 1.08 * sum : sum, 10));
}

/** To one decimal, up, as the specification's appendix does it against floating point noise. */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}
