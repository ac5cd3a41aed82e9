import { timestamp } from '@updraft/kit';
import type { Condition } from '../../kinds/meta.ts';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../kinds/workloads.ts';
import { conditionOf, withCondition } from '../conditions.ts';
import type { ConditionChange } from '../conditions.ts';
import type { ControllerContext } from '../controller.ts';
import type { Again } from '../work-queue.ts';
import type { Generations } from './replica-sets.ts';
import { slackOf } from './rolling.ts';

const DEFAULT_DEADLINE_SECONDS = 600;
/** What the API stores for "no deadline". */
const NO_DEADLINE = 2_147_483_647;

type Counts = Required<
  Pick<
    DeploymentStatus,
    'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas'
  >
>;

function countsOf(deployment: Deployment, { next, old }: Generations): Counts {
  const all = next ? [next, ...old] : old;
  const total = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    all.reduce((sum, set) => sum + (set.status?.[field] ?? 0), 0);
  const wanted = all.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
  const availableReplicas = total('availableReplicas');
  return {
    replicas: total('replicas'),
    updatedReplicas: next?.status?.replicas ?? 0,
    readyReplicas: total('readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, Math.max(wanted, 0) - availableReplicas),
  };
}

/** Every wanted pod is of the present template and available, and no older one is left. */
export function isComplete(deployment: Deployment, counts: DeploymentStatus | undefined): boolean {
  const replicas = deployment.spec.replicas ?? 1;
  return (
    counts?.updatedReplicas === replicas &&
    counts.replicas === replicas &&
    counts.availableReplicas === replicas &&
    (counts.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Writes the status that follows from the ReplicaSets; asks to come back when the progress deadline may pass. */
export function writeStatus(
  context: ControllerContext,
  deployment: Deployment,
  generations: Generations,
): Again {
  const { namespace, name, generation = 1 } = deployment.metadata;
  const counts = countsOf(deployment, generations);
  const nowMs = context.clock.now();
  let again: Again = undefined;
  context.objects.modify('deployments.apps', namespace, name, (stored) => {
    // The present object may be newer than the one that was looked at; its own event brings us back.
    if ((stored.metadata.generation ?? 1) !== generation) return false;
    const before = stored.status;
    const { unavailableReplicas, ...rest } = counts;
    const status: DeploymentStatus = {
      ...(before?.collisionCount === undefined ? {} : { collisionCount: before.collisionCount }),
      observedGeneration: generation,
      ...rest,
      // Clients take the field's absence for "none".
      ...(unavailableReplicas > 0 ? { unavailableReplicas } : {}),
    };
    let conditions = withFailure(withAvailable(stored, counts, nowMs), generations, nowMs);
    const progress = withProgress(stored, { counts, before, next: generations.next, nowMs, conditions });
    conditions = progress.conditions;
    again = progress.again;
    stored.status = { ...status, conditions };
    return undefined;
  });
  return again;
}

function withAvailable(deployment: Deployment, counts: Counts, nowMs: number): Condition[] {
  const replicas = deployment.spec.replicas ?? 1;
  const enough = counts.availableReplicas >= replicas - slackOf(deployment.spec).maxUnavailable;
  return withCondition(
    deployment.status?.conditions,
    {
      type: 'Available',
      status: enough ? 'True' : 'False',
      reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: enough
        ? 'Deployment has minimum availability.'
        : 'Deployment does not have minimum availability.',
    },
    nowMs,
  );
}

/** What keeps the present ReplicaSet, or an old one while there is no present one, from making pods. */
function withFailure(conditions: Condition[], { next, old }: Generations, nowMs: number): Condition[] {
  const failures = (next ? [next] : old).flatMap((set) => conditionOf(set, 'ReplicaFailure') ?? []);
  const [failure] = failures;
  if (!failure) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
  const { type, status, reason = '', message = '' } = failure;
  return withCondition(conditions, { type, status, reason, message }, nowMs);
}

interface ProgressInput {
  readonly counts: Counts;
  readonly before: DeploymentStatus | undefined;
  readonly next: ReplicaSet | undefined;
  readonly nowMs: number;
  readonly conditions: Condition[];
}

const oldPods = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);

function hasProgressed(counts: Counts, before: DeploymentStatus = {}): boolean {
  const more = (field: 'updatedReplicas' | 'readyReplicas' | 'availableReplicas') =>
    counts[field] > (before[field] ?? 0);
  return (
    more('updatedReplicas') ||
    more('readyReplicas') ||
    more('availableReplicas') ||
    oldPods(counts) < oldPods(before)
  );
}

type Progress = { conditions: Condition[]; again: Again };

function withProgress(deployment: Deployment, input: ProgressInput): Progress {
  const { conditions, next, nowMs, counts } = input;
  const deadlineMs = deadlineOf(deployment);
  if (deadlineMs === undefined) return { conditions, again: undefined };
  const generation = deployment.metadata.generation ?? 1;
  if (isComplete(deployment, { ...counts, observedGeneration: generation })) {
    const message = `${subject(deployment, next)} has successfully progressed.`;
    const done = progressing('NewReplicaSetAvailable', message);
    return { conditions: withCondition(conditions, done, nowMs), again: undefined };
  }
  const before = conditionOf(deployment, 'Progressing');
  // A rollout that was finished stays so when a pod fails later: only a new one starts a deadline.
  const settled = before?.reason === 'NewReplicaSetAvailable' && counts.replicas === counts.updatedReplicas;
  if (settled) return { conditions, again: undefined };
  const moved = hasProgressed(counts, input.before) || startedAnew(before, input.before, generation);
  if (before !== undefined && !moved) return overdue(deployment, input, { before, deadlineMs });
  const change = before === undefined ? firstProgress(deployment, input) : moreProgress(deployment, next);
  return { conditions: touched(conditions, change, nowMs), again: { afterMs: deadlineMs } };
}

/** undefined: nobody asks for progress now. */
function deadlineOf({ spec }: Deployment): number | undefined {
  const seconds = spec.progressDeadlineSeconds ?? DEFAULT_DEADLINE_SECONDS;
  return seconds >= NO_DEADLINE || spec.paused ? undefined : seconds * 1000;
}

function firstProgress(deployment: Deployment, { next, counts }: ProgressInput): ConditionChange {
  if (!next || counts.updatedReplicas > 0) return moreProgress(deployment, next);
  return progressing('NewReplicaSetCreated', `Created new replica set "${next.metadata.name}"`);
}

const moreProgress = (deployment: Deployment, next: ReplicaSet | undefined) =>
  progressing('ReplicaSetUpdated', `${subject(deployment, next)} is progressing.`);

/** A finished rollout whose specification has changed starts its deadline anew. */
function startedAnew(
  progress: Condition | undefined,
  status: DeploymentStatus | undefined,
  generation: number,
): boolean {
  return progress?.reason === 'NewReplicaSetAvailable' || (status?.observedGeneration ?? 0) < generation;
}

const progressing = (reason: string, message: string) => ({
  type: 'Progressing',
  status: 'True' as const,
  reason,
  message,
});

function subject(deployment: Deployment, next: ReplicaSet | undefined): string {
  return next ? `ReplicaSet "${next.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
}

/** Like withCondition, but progress always moves the update time: the deadline counts from it. */
function touched(
  conditions: Condition[],
  change: Parameters<typeof withCondition>[1],
  nowMs: number,
): Condition[] {
  return withCondition(conditions, change, nowMs).map((condition) =>
    condition.type === change.type ? { ...condition, lastUpdateTime: timestamp(nowMs) } : condition,
  );
}

function overdue(
  deployment: Deployment,
  { conditions, next, nowMs }: ProgressInput,
  { before, deadlineMs }: { before: Condition; deadlineMs: number },
): Progress {
  if (before.reason === 'ProgressDeadlineExceeded') return { conditions, again: undefined };
  const left = Date.parse(before.lastUpdateTime ?? '') + deadlineMs - nowMs;
  if (left > 0) return { conditions, again: { afterMs: left } };
  const change = {
    type: 'Progressing',
    status: 'False' as const,
    reason: 'ProgressDeadlineExceeded',
    message: `${subject(deployment, next)} has timed out progressing.`,
  };
  return { conditions: withCondition(conditions, change, nowMs), again: undefined };
}

/** Pausing and resuming stop and restart the deadline. */
export function notePause(context: ControllerContext, deployment: Deployment): void {
  const { namespace, name } = deployment.metadata;
  const paused = deployment.spec.paused === true;
  const reason = conditionOf(deployment, 'Progressing')?.reason;
  if (reason === 'ProgressDeadlineExceeded') return;
  if (paused === (reason === 'DeploymentPaused')) return;
  const change = {
    type: 'Progressing',
    status: 'Unknown' as const,
    reason: paused ? 'DeploymentPaused' : 'DeploymentResumed',
    message: paused ? 'Deployment is paused' : 'Deployment is resumed',
  };
  context.objects.modify('deployments.apps', namespace, name, (stored) => {
    const conditions = withCondition(stored.status?.conditions, change, context.clock.now());
    stored.status = { ...stored.status, conditions };
  });
}
