import { timestamp } from '@updraft/kit';
import type { Condition, ConditionStatus } from '../kinds/meta.ts';

export interface ConditionChange {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason?: string;
  readonly message?: string;
}

/** The list with the condition put in; its transition time moves only when its status does. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  change: ConditionChange,
  nowMs: number,
): Condition[] {
  const now = timestamp(nowMs);
  const before = conditions?.find(({ type }) => type === change.type);
  const same = before?.status === change.status;
  const unchanged = same && before.reason === change.reason && before.message === change.message;
  if (unchanged) return [...(conditions ?? [])];
  const after: Condition = {
    ...change,
    lastUpdateTime: now,
    lastTransitionTime: same ? (before.lastTransitionTime ?? now) : now,
  };
  return before
    ? (conditions ?? []).map((one) => (one === before ? after : one))
    : [...(conditions ?? []), after];
}

export function conditionOf(
  object: { status?: { conditions?: Condition[] } | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}
