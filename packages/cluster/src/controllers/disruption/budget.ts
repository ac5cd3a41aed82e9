import type { PodDisruptionBudget } from '../../kinds/policy.ts';
import { portionOf } from '../portion.ts';

export interface Health {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
  readonly currentHealthy: number;
  readonly disruptionsAllowed: number;
}

/** What the arithmetic needs to know. */
export interface Counts {
  /** Pods the selector matches. */
  readonly pods: number;
  /** Pods their controllers want, which percentages and `maxUnavailable` are of. */
  readonly wanted: number;
  readonly healthy: number;
}

/** Does the budget count against what controllers want, and not just the pods there are? */
export function countsWanted({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string';
}

/** Percentages round up, both of what must stay and of what may go. */
export function healthOf(budget: PodDisruptionBudget, counts: Counts): Health {
  const { maxUnavailable, minAvailable } = budget.spec;
  const expectedPods = countsWanted(budget) ? counts.wanted : counts.pods;
  const desiredHealthy =
    maxUnavailable === undefined
      ? (portionOf(minAvailable, expectedPods, Math.ceil) ?? 0)
      : Math.max(0, expectedPods - (portionOf(maxUnavailable, expectedPods, Math.ceil) ?? 0));
  const spare = Math.max(0, counts.healthy - desiredHealthy);
  return {
    expectedPods,
    desiredHealthy,
    currentHealthy: counts.healthy,
    disruptionsAllowed: expectedPods > 0 ? spare : 0,
  };
}
