import type { AutoscalerSpec, ScalingPolicy, ScalingRules } from '../../kinds/autoscaling.ts';

const UP: Required<Omit<ScalingRules, 'tolerance'>> = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const DOWN: Required<Omit<ScalingRules, 'tolerance'>> = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** What is remembered of one autoscaler: what it would have liked when, and by how much it has changed the size when. */
export interface Memory {
  recommendations: { readonly atMs: number; readonly replicas: number }[];
  changes: { readonly atMs: number; readonly by: number }[];
}

export interface Decision {
  readonly replicas: number;
  readonly limited: { readonly reason: string; readonly message: string } | undefined;
  readonly stabilized: boolean;
}

interface Sizes {
  readonly current: number;
  readonly wanted: number;
  readonly nowMs: number;
}

/** Holds what is wanted against the rules: windows first, then policies, then the bounds. */
export function decide(spec: AutoscalerSpec, memory: Memory, sizes: Sizes): Decision {
  const { nowMs, current } = sizes;
  const up = { ...UP, ...spec.behavior?.scaleUp };
  const down = { ...DOWN, ...spec.behavior?.scaleDown };
  const calm = stabilize(memory, sizes, {
    upMs: up.stabilizationWindowSeconds * 1000,
    downMs: down.stabilizationWindowSeconds * 1000,
  });
  const bounds = { least: spec.minReplicas ?? 1, most: spec.maxReplicas };
  const policyLimit =
    calm > current ? mostUp(up, memory, current, nowMs) : leastDown(down, memory, current, nowMs);
  const byPolicy = calm > current ? Math.min(calm, policyLimit) : Math.max(calm, policyLimit);
  const replicas = Math.min(Math.max(byPolicy, bounds.least), bounds.most);
  const stabilized = calm !== sizes.wanted;
  return { replicas, limited: limitOf({ calm, current, byPolicy, bounds }), stabilized };
}

function limitOf(of: {
  calm: number;
  current: number;
  byPolicy: number;
  bounds: { least: number; most: number };
}): Decision['limited'] {
  const { calm, current, byPolicy, bounds } = of;
  if (byPolicy > bounds.most) {
    return {
      reason: 'TooManyReplicas',
      message: 'the desired replica count is more than the maximum replica count',
    };
  }
  if (byPolicy < bounds.least) {
    return {
      reason: 'TooFewReplicas',
      message: 'the desired replica count is less than the minimum replica count',
    };
  }
  if (byPolicy === calm) return undefined;
  return calm > current
    ? {
        reason: 'ScaleUpLimit',
        message: 'the desired replica count is increasing faster than the maximum scale rate',
      }
    : {
        reason: 'ScaleDownLimit',
        message: 'the desired replica count is decreasing faster than the maximum scale rate',
      };
}

/** The smallest recommendation of the window on the way up, the largest on the way down. */
function stabilize(
  memory: Memory,
  { current, wanted, nowMs }: Sizes,
  { upMs, downMs }: { upMs: number; downMs: number },
): number {
  memory.recommendations = memory.recommendations.filter(({ atMs }) => atMs > nowMs - Math.max(upMs, downMs));
  memory.recommendations.push({ atMs: nowMs, replicas: wanted });
  const within = (ms: number) =>
    memory.recommendations.filter(({ atMs }) => atMs > nowMs - ms).map(({ replicas }) => replicas);
  const least = Math.min(wanted, ...within(upMs));
  const most = Math.max(wanted, ...within(downMs));
  return Math.min(Math.max(current, least), most);
}

/** By how much the size has gone up (or down) in the last so many seconds. */
function changed(memory: Memory, nowMs: number, seconds: number, direction: 1 | -1): number {
  return memory.changes
    .filter(({ atMs, by }) => atMs > nowMs - seconds * 1000 && Math.sign(by) === direction)
    .reduce((sum, { by }) => sum + Math.abs(by), 0);
}

type Rules = typeof UP;

function mostUp(rules: Rules, memory: Memory, current: number, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map(({ type, value, periodSeconds }: ScalingPolicy) => {
    const start = startOf(memory, current, nowMs, periodSeconds);
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function leastDown(rules: Rules, memory: Memory, current: number, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map(({ type, value, periodSeconds }: ScalingPolicy) => {
    const start = startOf(memory, current, nowMs, periodSeconds);
    return type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** The size at the beginning of the period. */
function startOf(memory: Memory, current: number, nowMs: number, seconds: number): number {
  return current - changed(memory, nowMs, seconds, 1) + changed(memory, nowMs, seconds, -1);
}

const LONGEST_PERIOD_MS = 1_800_000;

export function noteChange(memory: Memory, nowMs: number, by: number): void {
  memory.changes = memory.changes.filter(({ atMs }) => atMs > nowMs - LONGEST_PERIOD_MS);
  memory.changes.push({ atMs: nowMs, by });
}
