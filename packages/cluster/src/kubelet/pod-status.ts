import { timestamp } from '@updraft/kit';
import { withCondition } from '../controllers/conditions.ts';
import { isFinished } from '../controllers/pods.ts';
import type { Condition } from '../kinds/meta.ts';
import type { ContainerStatus, Pod, PodPhase, PodStatus } from '../kinds/pod.ts';
import { qosClassOf } from './quality.ts';

/** What the kubelet knows of a pod, beside the object itself. */
export interface PodFacts {
  readonly init: readonly ContainerStatus[];
  readonly sidecars: ReadonlySet<string>;
  readonly app: readonly ContainerStatus[];
  readonly ephemeral: readonly ContainerStatus[];
  readonly address: string | undefined;
  readonly nodeAddress: string;
  /** When the kubelet took the pod on. */
  readonly startedMs: number;
  /** Set when the pod has ended for a reason of its own, such as DeadlineExceeded. */
  readonly verdict: { readonly reason?: string; readonly message?: string } | undefined;
}

function initDone(pod: Pod, facts: PodFacts): boolean {
  return facts.init.every((status) =>
    facts.sidecars.has(status.name) ? status.started === true : status.state.terminated?.exitCode === 0,
  );
}

/** Sidecars end after the others, and the pod with them. */
function isAlive({ app, init }: PodFacts): boolean {
  return app.some(({ state }) => !state.terminated) || init.some(({ state }) => state.running !== undefined);
}

/** The phase that follows from the containers, as upstream's kubelet finds it. */
export function phaseOf(pod: Pod, facts: PodFacts): PodPhase {
  if (facts.verdict) return 'Failed';
  const policy = pod.spec.restartPolicy ?? 'Always';
  const initFailed = facts.init.some(
    ({ name, state }) => !facts.sidecars.has(name) && (state.terminated?.exitCode ?? 0) !== 0,
  );
  if (initFailed && policy === 'Never') return 'Failed';
  const never = (status: ContainerStatus) =>
    status.state.waiting !== undefined && !status.lastState.terminated;
  if (facts.app.some(never)) return 'Pending';
  if (!initDone(pod, facts) && facts.app.every(({ state }) => !state.running && !state.terminated))
    return 'Pending';
  if (isAlive(facts) || policy === 'Always') return 'Running';
  if (facts.app.every(({ state }) => state.terminated?.exitCode === 0)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** Of a pod that somebody else has called ended. */
export const verdictIn = ({ status: { reason, message } = {} }: Pod): NonNullable<PodFacts['verdict']> => ({
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});

/** The status to be written: conditions of others (scheduler, readiness gates) are kept. */
export function statusOf(pod: Pod, facts: PodFacts, nowMs: number): PodStatus {
  // What has ended stays so, whoever said it.
  const phase = (isFinished(pod) && pod.status?.phase) || phaseOf(pod, facts);
  const { address } = facts;
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    ...facts.verdict,
    conditions: conditionsOf(pod, { ...facts, phase, nowMs }),
    hostIP: facts.nodeAddress,
    hostIPs: [{ ip: facts.nodeAddress }],
    ...(address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] }),
    startTime: timestamp(facts.startedMs),
    ...(facts.init.length > 0 ? { initContainerStatuses: [...facts.init] } : {}),
    containerStatuses: [...facts.app],
    ...(facts.ephemeral.length > 0 ? { ephemeralContainerStatuses: facts.ephemeral.map(unprobed) } : {}),
    qosClass: qosClassOf(pod.spec),
  };
}

/** Nobody asks an ephemeral container whether it is ready. */
function unprobed({ started: _started, ...status }: ContainerStatus): ContainerStatus {
  return { ...status, ready: false };
}

function conditionsOf(pod: Pod, facts: PodFacts & { phase: PodPhase; nowMs: number }): Condition[] {
  const ended = facts.phase === 'Succeeded' || facts.phase === 'Failed';
  const initialized = initDone(pod, facts) || facts.phase === 'Succeeded';
  const unready = unreadyText(facts, ended);
  const containersReady = unready === undefined && initialized;
  const why = readyReason(facts, unready);
  const gate = containersReady ? closedGate(pod) : undefined;
  const changes = [
    { type: 'PodReadyToStartContainers', ok: facts.address !== undefined && !ended, why: {} },
    { type: 'Initialized', ok: initialized, why: initReason(facts) },
    { type: 'Ready', ok: containersReady && !gate, why: gate ?? why },
    { type: 'ContainersReady', ok: containersReady, why },
  ];
  let conditions = pod.status?.conditions ?? [];
  for (const { type, ok, why: reason } of changes) {
    const change = ok ? { type, status: 'True' as const } : { type, status: 'False' as const, ...reason };
    conditions = withCondition(conditions, change, facts.nowMs);
  }
  return conditions.map(({ lastUpdateTime: _unused, ...condition }) => ({
    lastProbeTime: null,
    ...condition,
  }));
}

/** A readiness gate that somebody else has not opened yet. */
function closedGate({ spec, status }: Pod): { reason: string; message: string } | undefined {
  const closed = (spec.readinessGates ?? []).find(
    ({ conditionType }) => status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  );
  if (!closed) return undefined;
  const message = `corresponding condition of pod readiness gate "${closed.conditionType}" is not "True".`;
  return { reason: 'ReadinessGatesNotReady', message };
}

const quoted = (statuses: readonly ContainerStatus[]) => `[${statuses.map(({ name }) => name).join(' ')}]`;

function unreadyText(facts: PodFacts, ended: boolean): string | undefined {
  const watched = [...facts.init.filter(({ name }) => facts.sidecars.has(name)), ...facts.app];
  const unready = watched.filter(({ ready }) => !ready);
  return unready.length > 0 || ended ? `containers with unready status: ${quoted(unready)}` : undefined;
}

function readyReason({ phase }: { phase: PodPhase }, unready: string | undefined) {
  if (phase === 'Succeeded') return { reason: 'PodCompleted' };
  if (phase === 'Failed') return { reason: 'PodFailed' };
  return { reason: 'ContainersNotReady', message: unready ?? 'init containers are not done' };
}

function initReason(facts: PodFacts) {
  const open = facts.init.filter(({ state }) => state.terminated?.exitCode !== 0);
  return {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${quoted(open)}`,
  };
}
