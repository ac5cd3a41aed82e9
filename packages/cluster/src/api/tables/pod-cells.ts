import { numberAt, recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { Members } from '../admission/members.ts';
import { duration } from './format.ts';

export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

interface Restarts {
  readonly count: number;
  readonly lastMs: number;
}

/** READY, STATUS and RESTARTS of a pod as `kubectl get pods` shows them. */
export function summarisePod(pod: unknown, nowMs: number): PodSummary {
  const status = recordAt(pod, 'status');
  const spec = recordAt(pod, 'spec');
  const containers = recordsAt(status, 'containerStatuses');
  const inits = recordsAt(status, 'initContainerStatuses');
  const sidecars = new Set(
    recordsAt(spec, 'initContainers')
      .filter((container) => container['restartPolicy'] === 'Always')
      .map((container) => textAt(container, 'name')),
  );
  const counted = [...inits.filter((each) => sidecars.has(textAt(each, 'name'))), ...containers];
  const total = recordsAt(spec, 'containers').length + sidecars.size;
  const init = initReason(spec, inits, sidecars);
  const reason =
    init ?? containerReason(containers, textAt(status, 'reason') ?? textAt(status, 'phase') ?? '', pod);
  const ready = counted.filter((each) => each['ready'] === true && isRunning(each)).length;
  return {
    ready: `${ready}/${total}`,
    status: deletionReason(pod, reason),
    restarts: restartText(restartsOf(init === undefined ? counted : inits), nowMs),
  };
}

const isRunning = (status: Members) => recordAt(status, 'state')['running'] !== undefined;

function restartsOf(statuses: readonly Members[]): Restarts {
  const times = statuses.map((each) =>
    Date.parse(textAt(recordAt(recordAt(each, 'lastState'), 'terminated'), 'finishedAt') ?? ''),
  );
  return {
    count: statuses.reduce((sum, each) => sum + (numberAt(each, 'restartCount') ?? 0), 0),
    lastMs: Math.max(0, ...times.filter((time) => !Number.isNaN(time))),
  };
}

function restartText(restarts: Restarts, nowMs: number): string {
  if (restarts.count === 0 || restarts.lastMs === 0) return String(restarts.count);
  return `${restarts.count} (${duration(nowMs - restarts.lastMs)} ago)`;
}

/** While init containers run the pod's status is theirs; undefined when they are done. */
function initReason(
  spec: Members,
  statuses: readonly Members[],
  sidecars: ReadonlySet<string | undefined>,
): string | undefined {
  const total = recordsAt(spec, 'initContainers').length;
  for (const [index, status] of statuses.entries()) {
    const state = recordAt(status, 'state');
    const terminated = recordAt(state, 'terminated');
    const succeeded = state['terminated'] !== undefined && numberAt(terminated, 'exitCode') === 0;
    const started = sidecars.has(textAt(status, 'name')) && status['started'] === true;
    if (succeeded || started) continue;
    if (state['terminated'] !== undefined) return `Init:${endReason(terminated)}`;
    const waiting = textAt(recordAt(state, 'waiting'), 'reason');
    if (waiting && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function endReason(terminated: Members): string {
  const reason = textAt(terminated, 'reason');
  if (reason) return reason;
  const signal = numberAt(terminated, 'signal');
  return signal ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
}

function containerReason(statuses: readonly Members[], phase: string, pod: unknown): string {
  let reason = phase;
  let running = false;
  for (const status of statuses.toReversed()) {
    const state = recordAt(status, 'state');
    const waiting = textAt(recordAt(state, 'waiting'), 'reason');
    if (waiting) reason = waiting;
    else if (state['terminated'] !== undefined) reason = endReason(recordAt(state, 'terminated'));
    else if (status['ready'] === true && isRunning(status)) running = true;
  }
  if (reason !== 'Completed' || !running) return reason;
  return isReady(pod) ? 'Running' : 'NotReady';
}

function isReady(pod: unknown): boolean {
  const conditions = recordsAt(recordAt(pod, 'status'), 'conditions');
  return conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True');
}

function deletionReason(pod: unknown, reason: string): string {
  if (textAt(recordAt(pod, 'metadata'), 'deletionTimestamp') === undefined) return reason;
  return textAt(recordAt(pod, 'status'), 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating';
}
