import type { Clock } from '@updraft/kit';
import type { Probe } from '../kinds/pod.ts';
import { runHandler } from './handlers.ts';
import type { HandlerResult, HandlerTarget } from './handlers.ts';

/** As events write them. */
export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness';

/** Whom the prober tells. */
export interface ProbeListener {
  started(): void;
  ready(isReady: boolean): void;
  /** The container has to be restarted. */
  failed(kind: 'Startup' | 'Liveness', probe: Probe): void;
  unhealthy(kind: ProbeKind, message: string): void;
}

/** What is probed. */
export interface Probed {
  readonly target: HandlerTarget;
  /** How long it has been running: initial delays count from its start. */
  readonly ageMs: number;
  /** Its startup probe has succeeded before. */
  readonly started: boolean;
}

const FIRST_EAGER_MS = 50;

interface Timings {
  readonly initialMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successes: number;
  readonly failures: number;
}

function timingsOf(probe: Probe): Timings {
  return {
    initialMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: Math.max(1, probe.periodSeconds ?? 10) * 1000,
    timeoutMs: Math.max(1, probe.timeoutSeconds ?? 1) * 1000,
    successes: Math.max(1, probe.successThreshold ?? 1),
    failures: Math.max(1, probe.failureThreshold ?? 3),
  };
}

/**
 * Probes one running container until `signal` is aborted: first the startup probe alone, then liveness and readiness.
 * Startup and readiness probes also ask in between, at growing intervals within the first period: such an early attempt counts
 * when it succeeds and not when it fails, so that a container which is up in 200 ms need not wait for the next period.
 */
export function probeContainer(probed: Probed, listener: ProbeListener, signal: AbortSignal): void {
  const { startupProbe, readinessProbe, livenessProbe } = probed.target.container;
  const watch: Watch = { probed, listener, signal };
  const begin = () => {
    listener.started();
    if (readinessProbe) void readiness(readinessProbe, watch);
    else listener.ready(true);
    if (livenessProbe) void liveness(livenessProbe, watch);
  };
  if (startupProbe && !probed.started) void startup(startupProbe, watch, begin);
  else begin();
}

interface Watch {
  readonly probed: Probed;
  readonly listener: ProbeListener;
  readonly signal: AbortSignal;
}

async function startup(probe: Probe, watch: Watch, begin: () => void): Promise<void> {
  let failures = 0;
  for await (const { result, early } of attempts(probe, watch, { eager: true })) {
    if (result.ok) return begin();
    if (early) continue;
    failures += 1;
    watch.listener.unhealthy('Startup', result.message);
    if (failures >= timingsOf(probe).failures) return watch.listener.failed('Startup', probe);
  }
}

async function liveness(probe: Probe, watch: Watch): Promise<void> {
  let failures = 0;
  for await (const { result } of attempts(probe, watch, { eager: false })) {
    failures = result.ok ? 0 : failures + 1;
    if (result.ok) continue;
    watch.listener.unhealthy('Liveness', result.message);
    if (failures >= timingsOf(probe).failures) return watch.listener.failed('Liveness', probe);
  }
}

async function readiness(probe: Probe, watch: Watch): Promise<void> {
  const { successes, failures } = timingsOf(probe);
  let good = 0;
  let bad = 0;
  for await (const { result, early } of attempts(probe, watch, { eager: true })) {
    if (!result.ok && early) continue;
    good = result.ok ? good + 1 : 0;
    bad = result.ok ? 0 : bad + 1;
    if (!result.ok) watch.listener.unhealthy('Readiness', result.message);
    if (good >= successes) watch.listener.ready(true);
    if (bad >= failures) watch.listener.ready(false);
  }
}

interface Attempt {
  readonly result: HandlerResult;
  /** Before its time: a failure does not count. */
  readonly early: boolean;
}

async function* attempts(
  probe: Probe,
  { probed, signal }: Watch,
  { eager }: { eager: boolean },
): AsyncGenerator<Attempt> {
  const { initialMs, periodMs, timeoutMs } = timingsOf(probe);
  const { target, ageMs } = probed;
  const { clock } = target;
  if (!(await slept(clock, Math.max(0, initialMs - ageMs), signal))) return;
  if (eager) {
    for (let spent = 0, pause = FIRST_EAGER_MS; spent + pause < periodMs; spent += pause, pause *= 2) {
      const result = await runHandler(probe, target, timeoutMs);
      if (signal.aborted) return;
      yield { result, early: true };
      if (!(await slept(clock, result.ok ? periodMs : pause, signal))) return;
      if (result.ok) break;
    }
  }
  for (;;) {
    const result = await runHandler(probe, target, timeoutMs);
    if (signal.aborted) return;
    yield { result, early: false };
    if (!(await slept(clock, periodMs, signal))) return;
  }
}

/** False when it was woken by the end. */
export async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    if (ms > 0) await clock.sleep(ms, signal);
  } catch {
    return false;
  }
  return !signal.aborted;
}
