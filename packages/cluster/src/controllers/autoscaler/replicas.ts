import type { Pod } from '../../kinds/pod.ts';

/** One pod as the arithmetic sees it: its part of the target and, when it is known, what it uses. Same unit for both. */
export interface Load {
  readonly target: number;
  readonly used: number | undefined;
  /** It has just started: what it uses now says little. */
  readonly unready: boolean;
  /** What stands for it while its usage is unknown and the others would scale down. */
  readonly fallback: number;
}

const CPU_WARM_UP_MS = 300_000;
const FIRST_READY_MS = 30_000;

/** Whether a pod's CPU is still that of its start. */
export function isWarmingUp({ status }: Pod, nowMs: number, sampleFromMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const startMs = Date.parse(status?.startTime ?? '');
  if (status?.phase === 'Pending' || !ready || Number.isNaN(startMs)) return true;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  const span = { startMs, nowMs, sampleFromMs, sinceMs: Number.isNaN(sinceMs) ? startMs : sinceMs };
  return ready.status === 'True' ? isSampleTooEarly(span) : isStillStarting(span);
}

interface Span {
  readonly startMs: number;
  readonly nowMs: number;
  readonly sampleFromMs: number;
  /** Since when it is (or is not) ready. */
  readonly sinceMs: number;
}

const isSampleTooEarly = ({ startMs, nowMs, sampleFromMs, sinceMs }: Span) =>
  startMs + CPU_WARM_UP_MS > nowMs && sampleFromMs < sinceMs;

const isStillStarting = ({ startMs, nowMs, sinceMs }: Span) =>
  startMs + CPU_WARM_UP_MS > nowMs || startMs + FIRST_READY_MS > sinceMs;

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/**
 * How many replicas the load asks for. Pods whose use is unknown are taken to hold the present direction back: full when
 * the others would scale down, idle when they would scale up.
 */
export function replicasFor(loads: readonly Load[], current: number, tolerance: number): number {
  const known = loads.filter(({ used, unready }) => used !== undefined && !unready);
  if (known.length === 0) return current;
  const ratioOf = (all: readonly Load[], usedBy: (load: Load) => number) =>
    sum(all.map(usedBy)) / Math.max(1, sum(all.map(({ target }) => target)));
  const ratio = ratioOf(known, ({ used }) => used ?? 0);
  const unready = loads.filter((load) => load.unready);
  const missing = loads.filter(({ used, unready: warming }) => used === undefined && !warming);
  const adjusted = missing.length > 0 || (unready.length > 0 && ratio > 1);
  if (!adjusted) return within(ratio, tolerance) ? current : Math.ceil(round(ratio * known.length));
  const counted = ratio > 1 ? [...known, ...missing, ...unready] : [...known, ...missing];
  const assumed = ratioOf(counted, (load) => {
    if (known.includes(load)) return load.used ?? 0;
    return ratio < 1 ? load.fallback : 0;
  });
  const turned = ratio < 1 ? assumed > 1 : assumed < 1;
  if (within(assumed, tolerance) || turned) return current;
  const wanted = Math.ceil(round(assumed * counted.length));
  const backwards = assumed < 1 ? wanted > current : wanted < current;
  return backwards ? current : wanted;
}

const within = (ratio: number, tolerance: number) => Math.abs(1 - ratio) <= tolerance + 1e-9;
/** Without the last digits, in which a division may have left a trace. */
const round = (value: number) => Math.round(value * 1e6) / 1e6;
