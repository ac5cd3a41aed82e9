import type { Pod } from '../../kinds/pod.ts';
import type { PodDisruptionBudget } from '../../kinds/policy.ts';
import { selectsOrAll } from '../../kinds/selectors.ts';
import { isFinished, isReady, isTerminating } from '../pods.ts';

/** May this pod be evicted now? */
export type Verdict =
  | { readonly kind: 'free' }
  /** Yes, and the budget has to be charged for it. */
  | { readonly kind: 'granted'; readonly budget: PodDisruptionBudget }
  | { readonly kind: 'refused'; readonly budget: PodDisruptionBudget; readonly why: string }
  | { readonly kind: 'ambiguous' };

const FREE: Verdict = { kind: 'free' };

/** @param budgets those of the pod's namespace */
export function judgeEviction(pod: Pod, budgets: readonly PodDisruptionBudget[]): Verdict {
  // Who serves nobody is missed by nobody.
  if (isFinished(pod) || isTerminating(pod) || pod.status?.phase === 'Pending') return FREE;
  const own = budgets.filter(({ spec }) => selectsOrAll(spec.selector, pod.metadata.labels));
  const [budget] = own;
  if (!budget) return FREE;
  if (own.length > 1) return { kind: 'ambiguous' };
  if (!isReady(pod) && mayGoUnhealthy(budget)) return FREE;
  return judgeByBudget(budget);
}

/** A pod that is not ready is no loss, unless the application as a whole is short of healthy ones. */
function mayGoUnhealthy({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function judgeByBudget(budget: PodDisruptionBudget): Verdict {
  const { metadata, status } = budget;
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 1)) {
    const why = `The disruption budget ${metadata.name} is still being processed by the server.`;
    return { kind: 'refused', budget, why };
  }
  if ((status?.disruptionsAllowed ?? 0) > 0) return { kind: 'granted', budget };
  const why = `The disruption budget ${metadata.name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`;
  return { kind: 'refused', budget, why };
}

/** The budget's status after the grant, until the controller has seen the pod go. */
export function charged(
  status: PodDisruptionBudget['status'],
  podName: string,
  time: string,
): NonNullable<PodDisruptionBudget['status']> {
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status ?? {};
  return {
    ...status,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed: Math.max(0, disruptionsAllowed - 1),
    disruptedPods: { ...status?.disruptedPods, [podName]: time },
  };
}
