import { timestamp } from '@updraft/kit';
import type {
  AutoscalerStatus,
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
} from '../../kinds/autoscaling.ts';
import type { LabelSelector } from '../../kinds/meta.ts';
import { parseQuantity } from '../../kinds/quantity.ts';
import { selects } from '../../kinds/selectors.ts';
import type { UsagePort } from '../../metrics/usage.ts';
import { withCondition } from '../conditions.ts';
import type { ConditionChange } from '../conditions.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import type { Again } from '../work-queue.ts';
import { decide, noteChange } from './behavior.ts';
import type { Decision, Memory } from './behavior.ts';
import { propose } from './metrics.ts';
import type { Proposal } from './metrics.ts';

const PERIOD_MS = 15_000;
const TOLERANCE = 0.1;
const AUTOSCALERS = 'horizontalpodautoscalers.autoscaling';
const TARGETS = {
  Deployment: 'deployments.apps',
  ReplicaSet: 'replicasets.apps',
  StatefulSet: 'statefulsets.apps',
  ReplicationController: 'replicationcontrollers',
} as const;

/** Sizes workloads by what their pods use. Costs something only while there is an autoscaler. */
export function autoscalerController(context: ControllerContext, port: UsagePort): Controller {
  const memories = new Map<string, Memory>();
  return {
    name: 'autoscaler',
    resources: [AUTOSCALERS],
    keys: ({ object, type, previous }) => {
      if (type === 'DELETED') memories.delete(object.metadata.uid);
      // Its own status is no reason to measure again.
      const same = previous && JSON.stringify(previous.spec) === JSON.stringify(object.spec);
      return same ? [] : [keyOf(object)];
    },
    reconcile: async (key) => {
      const { namespace, name } = splitKey(key);
      const scaler = context.objects.get(AUTOSCALERS, namespace, name);
      if (!scaler || scaler.metadata.deletionTimestamp !== undefined) return undefined;
      const { uid } = scaler.metadata;
      const memory = memories.get(uid) ?? { recommendations: [], changes: [] };
      memories.set(uid, memory);
      return reconcile({ ...context, port, memory }, scaler);
    },
  };
}

type Scope = ControllerContext & { readonly port: UsagePort; readonly memory: Memory };
type Changes = readonly ConditionChange[];

const able = (reason: string, message: string, ok = true): ConditionChange => ({
  type: 'AbleToScale',
  status: ok ? 'True' : 'False',
  reason,
  message,
});
const active = (reason: string, message: string, ok = true): ConditionChange => ({
  ...able(reason, message, ok),
  type: 'ScalingActive',
});

function targetOf({ objects }: ControllerContext, { spec, metadata }: HorizontalPodAutoscaler) {
  const { kind, name } = spec.scaleTargetRef;
  const resource = Object.entries(TARGETS).find(([known]) => known === kind)?.[1];
  const object = resource && objects.get(resource, metadata.namespace, name);
  if (!resource || !object) return undefined;
  const selector: LabelSelector =
    resource === 'replicationcontrollers'
      ? { matchLabels: (object.spec.selector ?? {}) as Record<string, string> }
      : (object.spec.selector ?? {});
  return { resource, name, current: object.spec.replicas ?? 1, selector };
}

async function reconcile(scope: Scope, scaler: HorizontalPodAutoscaler): Promise<Again> {
  const again = { afterMs: PERIOD_MS };
  const target = targetOf(scope, scaler);
  const { kind, name } = scaler.spec.scaleTargetRef;
  const events = scope.events.as('horizontal-pod-autoscaler');
  if (!target) {
    const message = `the HPA controller was unable to get the target's current scale: ${kind.toLowerCase()}s "${name}" not found`;
    events.warning(scaler, 'FailedGetScale', message);
    write(scope, scaler, {}, [able('FailedGetScale', message, false)]);
    return again;
  }
  const { current } = target;
  const seen = able('SucceededGetScale', "the HPA controller was able to get the target's current scale");
  if (current === 0 && scaler.spec.minReplicas !== 0) {
    const why = 'scaling is disabled since the replica count of the target is zero';
    write(scope, scaler, { currentReplicas: 0, desiredReplicas: 0 }, [
      seen,
      active('ScalingDisabled', why, false),
    ]);
    return again;
  }
  const proposals = await measure(scope, scaler, target);
  const outcome = judge(scope, scaler, { proposals, current });
  for (const { reason, problem } of outcome.problems) events.warning(scaler, reason, problem);
  if (outcome.replicas !== current)
    resize(scope, scaler, { ...target, to: outcome.replicas, why: outcome.why });
  const status: Partial<AutoscalerStatus> = {
    currentReplicas: current,
    desiredReplicas: outcome.replicas,
    ...(outcome.metrics.length > 0 ? { currentMetrics: outcome.metrics } : {}),
    ...(outcome.replicas === current ? {} : { lastScaleTime: timestamp(scope.clock.now()) }),
  };
  write(scope, scaler, status, [seen, ...outcome.conditions]);
  return again;
}

const DEFAULT_METRIC: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};

async function measure(
  scope: Scope,
  { spec, metadata }: HorizontalPodAutoscaler,
  { selector, current }: { selector: LabelSelector; current: number },
): Promise<Proposal[]> {
  const pods = scope.objects
    .list('pods', metadata.namespace)
    .filter((pod) => selects(selector, pod.metadata.labels));
  const usage = await scope.port.usage(pods.filter(({ status }) => status?.phase === 'Running'));
  const scene = { pods, usage, current, nowMs: scope.clock.now() };
  const metrics = spec.metrics?.length ? spec.metrics : [DEFAULT_METRIC];
  return metrics.map((metric) => {
    const up = propose(metric, scene, parseQuantity(spec.behavior?.scaleUp?.tolerance) ?? TOLERANCE);
    if ('problem' in up || up.replicas > current) return up;
    return propose(metric, scene, parseQuantity(spec.behavior?.scaleDown?.tolerance) ?? TOLERANCE);
  });
}

interface Outcome {
  readonly replicas: number;
  readonly why: string;
  readonly metrics: readonly MetricStatus[];
  readonly conditions: Changes;
  readonly problems: readonly { readonly reason: string; readonly problem: string }[];
}

/** The largest proposal counts; what cannot be read forbids to scale down. */
function judge(
  scope: Scope,
  { spec }: HorizontalPodAutoscaler,
  { proposals, current }: { proposals: readonly Proposal[]; current: number },
): Outcome & { metrics: MetricStatus[] } {
  const problems = proposals.flatMap((one) => ('problem' in one ? [one] : []));
  const valid = proposals.flatMap((one) => ('problem' in one ? [] : [one]));
  const metrics = valid.map(({ status }) => status);
  const best = valid.toSorted((a, b) => b.replicas - a.replicas)[0];
  const [problem] = problems;
  if (!best || (problem && best.replicas < current)) {
    const bounded = Math.min(Math.max(current, spec.minReplicas ?? 1), spec.maxReplicas);
    const conditions = problem ? [active(problem.reason, problem.problem, false)] : [];
    return {
      replicas: bounded,
      why: 'Current number of replicas outside of the bounds',
      metrics,
      conditions,
      problems,
    };
  }
  const decision = decide(spec, scope.memory, { current, wanted: best.replicas, nowMs: scope.clock.now() });
  const found = `the HPA was able to successfully calculate a replica count from ${best.name}`;
  return {
    replicas: decision.replicas,
    why: best.replicas > current ? `${best.name} above target` : 'All metrics below target',
    metrics,
    conditions: [ableTo(decision, current), active('ValidMetricFound', found), limitedBy(decision)],
    problems,
  };
}

function ableTo({ replicas, stabilized }: Decision, current: number): ConditionChange {
  if (replicas !== current) {
    return able('SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`);
  }
  return stabilized
    ? able(
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      )
    : able('ReadyForNewScale', 'recommended size matches current size');
}

function limitedBy({ limited }: Decision): ConditionChange {
  return limited
    ? { type: 'ScalingLimited', status: 'True', ...limited }
    : {
        type: 'ScalingLimited',
        status: 'False',
        reason: 'DesiredWithinRange',
        message: 'the desired count is within the acceptable range',
      };
}

function resize(
  scope: Scope,
  scaler: HorizontalPodAutoscaler,
  change: {
    resource: (typeof TARGETS)[keyof typeof TARGETS];
    name: string;
    current: number;
    to: number;
    why: string;
  },
): void {
  const { resource, name, current, to, why } = change;
  scope.objects.modify(resource, scaler.metadata.namespace, name, (object) => {
    object.spec.replicas = to;
  });
  noteChange(scope.memory, scope.clock.now(), to - current);
  scope.events
    .as('horizontal-pod-autoscaler')
    .normal(scaler, 'SuccessfulRescale', `New size: ${to}; reason: ${why}`);
}

function write(
  { objects, clock }: ControllerContext,
  { metadata }: HorizontalPodAutoscaler,
  status: Partial<AutoscalerStatus>,
  changes: Changes,
): void {
  objects.modify(AUTOSCALERS, metadata.namespace, metadata.name, (stored) => {
    let conditions = stored.status?.conditions;
    for (const change of changes) conditions = withCondition(conditions, change, clock.now());
    stored.status = {
      desiredReplicas: 0,
      ...stored.status,
      ...status,
      conditions: (conditions ?? []).map(({ lastUpdateTime: _unused, ...condition }) => condition),
    };
  });
}
