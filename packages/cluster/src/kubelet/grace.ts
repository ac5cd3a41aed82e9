import type { Pod } from '../kinds/pod.ts';

const DEFAULT_SECONDS = 30;

/** How long a pod's containers get to end by themselves, when they end as a whole. */
export function graceMs({ spec }: Pod): number {
  return (spec.terminationGracePeriodSeconds ?? DEFAULT_SECONDS) * 1000;
}

/** What is left of the grace that a pod's deletion gave; at least a second. */
export function deletionGraceMs({ metadata }: Pod, nowMs: number): number {
  const { deletionTimestamp = '', deletionGracePeriodSeconds } = metadata;
  const wholeMs = Math.max(1, deletionGracePeriodSeconds ?? DEFAULT_SECONDS) * 1000;
  // The time stamp has no fractions.
  const leftMs = Date.parse(deletionTimestamp) + 999 - nowMs;
  return Number.isNaN(leftMs) ? wholeMs : Math.min(wholeMs, Math.max(1000, leftMs));
}
