import type { DeploymentSpec } from '../../kinds/workloads.ts';
import { portionOf } from '../portion.ts';

/** How many pods a rolling update may have too many and too few. */
export interface Slack {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** What the arithmetic needs to know of a ReplicaSet. */
export interface Share {
  readonly name: string;
  /** `spec.replicas`. */
  readonly desired: number;
  /** `status.availableReplicas`. */
  readonly available: number;
}

/** Surge rounds up, unavailable rounds down; both zero would stand still, so one may be unavailable then. */
export function slackOf(spec: DeploymentSpec): Slack {
  const replicas = spec.replicas ?? 1;
  if (spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {};
  const surge = portionOf(maxSurge ?? '25%', replicas, Math.ceil) ?? 0;
  const unavailable = Math.min(portionOf(maxUnavailable ?? '25%', replicas, Math.floor) ?? 0, replicas);
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: Math.min(1, replicas) };
  return { maxSurge: surge, maxUnavailable: unavailable };
}

const sum = (shares: readonly Share[], field: 'desired' | 'available') =>
  shares.reduce((total, share) => total + share[field], 0);

/** How many replicas the new ReplicaSet should have now: as many as fit under replicas + surge. */
export function newSetSize(replicas: number, slack: Slack, next: Share, old: readonly Share[]): number {
  if (next.desired >= replicas) return replicas;
  const room = replicas + slack.maxSurge - sum([next, ...old], 'desired');
  return next.desired + Math.max(0, Math.min(room, replicas - next.desired));
}

/**
 * The sizes of old ReplicaSets (oldest first) that should shrink now: pods that are not available go first, then as many as leave
 * enough available ones.
 */
export function oldSetSizes(
  replicas: number,
  slack: Slack,
  next: Share,
  old: readonly Share[],
): ReadonlyMap<string, number> {
  const sizes = new Map(old.map((share) => [share.name, share.desired]));
  const minAvailable = replicas - slack.maxUnavailable;
  const newUnavailable = Math.max(0, next.desired - next.available);
  let spare = sum([next, ...old], 'desired') - minAvailable - newUnavailable;
  const shrink = (share: Share, most: number) => {
    const size = sizes.get(share.name) ?? 0;
    const by = Math.max(0, Math.min(size, most));
    sizes.set(share.name, size - by);
    return by;
  };
  for (const share of old) spare -= shrink(share, Math.min(spare, share.desired - share.available));
  let surplus = Math.min(spare, sum([next, ...old], 'available') - minAvailable);
  for (const share of old) surplus -= shrink(share, surplus);
  return sizes;
}

/** A ReplicaSet in the middle of a rollout that is scaled. */
export interface ScaledShare extends Share {
  /** What replicas + surge of the whole were when it got its size. */
  readonly outOf: number;
}

/**
 * Scaling in the middle of a rollout, `target` being replicas + surge (0 for none): each ReplicaSet keeps its part of the whole,
 * and what rounding leaves goes to the first. `shares` come with the ones that matter most first.
 */
export function proportional(shares: readonly ScaledShare[], target: number): ReadonlyMap<string, number> {
  const change = target - sum(shares, 'desired');
  const sizes = new Map(shares.map((share) => [share.name, share.desired]));
  let left = change;
  for (const share of shares) {
    const part = partOf(share, target);
    // Nobody gets more than is left, nor anything of the other sign than was to be given.
    const given = change > 0 ? Math.min(part, left) : Math.max(part, left);
    sizes.set(share.name, Math.max(0, share.desired + given));
    left -= given;
  }
  const [first] = shares;
  if (first) sizes.set(first.name, Math.max(0, (sizes.get(first.name) ?? 0) + left));
  return sizes;
}

function partOf({ desired, outOf }: ScaledShare, target: number): number {
  if (target === 0) return -desired;
  return outOf === 0 ? 0 : Math.round((desired * target) / outOf) - desired;
}
