import type { Condition, IntOrString, LabelSelector, Typed } from './meta.ts';

export type PodDisruptionBudgetSpec = {
  minAvailable?: IntOrString;
  maxUnavailable?: IntOrString;
  selector?: LabelSelector;
  unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
};

export type PodDisruptionBudgetStatus = {
  observedGeneration?: number;
  /** Pods whose eviction was granted and that are not yet seen going, with the time of the grant. */
  disruptedPods?: Record<string, string>;
  disruptionsAllowed: number;
  currentHealthy: number;
  desiredHealthy: number;
  expectedPods: number;
  conditions?: Condition[];
};

export type PodDisruptionBudget = Typed<PodDisruptionBudgetSpec, PodDisruptionBudgetStatus>;
