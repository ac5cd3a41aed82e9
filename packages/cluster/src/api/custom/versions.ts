const FORM = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** Kubernetes' order of versions: v2, v1, v2beta1, v1beta2, v1alpha1, and last whatever is named otherwise. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : 1;
  const index = left.findIndex((value, at) => value !== right[at]);
  return index < 0 ? 0 : (right[index] ?? 0) - (left[index] ?? 0);
}

const STABILITY: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };
const STABLE = 2;

function rankOf(version: string): number[] | undefined {
  const match = FORM.exec(version);
  if (!match) return undefined;
  const [, major = '', stage, minor = '0'] = match;
  return [stage === undefined ? STABLE : (STABILITY[stage] ?? 0), Number(major), Number(minor)];
}
