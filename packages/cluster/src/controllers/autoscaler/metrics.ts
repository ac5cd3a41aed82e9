import type { MetricSpec, MetricStatus, MetricTarget } from '../../kinds/autoscaling.ts';
import { milliOf, quantityOf } from '../../kinds/pod-resources.ts';
import type { Container, Pod } from '../../kinds/pod.ts';
import type { PodUsage } from '../../metrics/usage.ts';
import { isFinished, isTerminating } from '../pods.ts';
import { isWarmingUp, replicasFor } from './replicas.ts';
import type { Load } from './replicas.ts';

/** What one metric asks for; or why it cannot be read. */
export type Proposal =
  | { readonly replicas: number; readonly status: MetricStatus; readonly name: string }
  | { readonly reason: string; readonly problem: string };

export interface Scene {
  readonly pods: readonly Pod[];
  readonly usage: ReadonlyMap<string, PodUsage>;
  readonly current: number;
  readonly nowMs: number;
}

const MEASURED = new Set(['cpu', 'memory']);

/** @param tolerance by how much the load may differ from the target without a change */
export function propose(metric: MetricSpec, scene: Scene, tolerance: number): Proposal {
  const source = metric.type === 'ContainerResource' ? metric.containerResource : metric.resource;
  if (!source || !MEASURED.has(source.name)) return unknownMetric(metric, source?.name);
  const container = metric.containerResource?.container;
  const goal = { ...source, container };
  const loads = loadsOf(scene, goal);
  if (typeof loads === 'string') return failed(loads);
  const used = loads.flatMap((load) => load.used ?? []);
  if (used.length === 0) return failed('no metrics returned from resource metrics API');
  const average = sum(used) / used.length;
  const requested = sum(loads.map(({ request }) => request)) / loads.length;
  const { name, target } = source;
  const relative = target.averageUtilization !== undefined;
  const current = {
    averageValue: quantityOf(name, Math.round(average)),
    ...(relative ? { averageUtilization: Math.trunc((average * 100) / requested) } : {}),
  };
  const status: MetricStatus =
    container === undefined
      ? { type: 'Resource', resource: { name, current } }
      : { type: 'ContainerResource', containerResource: { name, container, current } };
  return { replicas: replicasFor(loads, scene.current, tolerance), status, name: describe(goal) };
}

interface Goal {
  readonly name: string;
  readonly container: string | undefined;
  readonly target: MetricTarget;
}

function describe({ name, container, target }: Goal): string {
  const what = container === undefined ? 'resource' : 'container resource';
  return `${name} ${what}${target.averageUtilization === undefined ? '' : ' utilization (percentage of request)'}`;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** Of the pods that live; or the words for why they cannot be weighed. */
function loadsOf(scene: Scene, { name, container, target }: Goal): (Load & { request: number })[] | string {
  const { averageUtilization, averageValue } = target;
  const loads: (Load & { request: number })[] = [];
  for (const pod of scene.pods.filter((one) => !isFinished(one) && !isTerminating(one))) {
    const found = requestsOf(pod, name, container);
    if (averageUtilization !== undefined && typeof found === 'string') return found;
    const request = typeof found === 'string' ? 0 : found;
    const share =
      averageUtilization === undefined ? milliOf(averageValue) : (request * averageUtilization) / 100;
    loads.push({ ...loadOf(pod, scene, { name, container, target: share, request }), request });
  }
  return loads;
}

const failed = (why: string): Proposal => ({
  reason: 'FailedGetResourceMetric',
  problem: `the HPA was unable to compute the replica count: ${why}`,
});

function unknownMetric(metric: MetricSpec, name: string | undefined): Proposal {
  const reason = `FailedGet${metric.type}Metric`;
  const problem = `the HPA was unable to compute the replica count: unable to get metric ${name ?? metric.type}: this cluster measures cpu and memory of pods only`;
  return { reason, problem };
}

/** Thousandths, or the words for a container that asks for nothing. */
function requestsOf(pod: Pod, name: string, container: string | undefined): number | string {
  let total = 0;
  for (const one of measured(pod, container)) {
    const request = one.resources?.requests?.[name];
    if (request === undefined) {
      return `failed to get ${name} utilization: missing request for ${name} in container ${one.name} of Pod ${pod.metadata.name}`;
    }
    total += milliOf(request);
  }
  return total;
}

function measured(pod: Pod, container: string | undefined): Container[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const all = [...pod.spec.containers, ...sidecars];
  return container === undefined ? all : all.filter(({ name }) => name === container);
}

function loadOf(
  pod: Pod,
  { usage, nowMs }: Scene,
  of: { name: string; container: string | undefined; target: number; request: number },
): Load {
  const found = usage.get(pod.metadata.uid);
  const amounts = found?.containers
    .filter(({ name }) => of.container === undefined || name === of.container)
    .map((one) => (of.name === 'cpu' ? one.cpuMilli : one.memoryBytes * 1000));
  const used = amounts && sum(amounts);
  const sampleFromMs = found ? found.atMs - found.windowMs : nowMs;
  const pending = pod.status?.phase === 'Pending';
  return {
    target: of.target,
    used,
    unready: of.name === 'cpu' ? isWarmingUp(pod, nowMs, sampleFromMs) : pending,
    fallback: Math.max(of.request, of.target),
  };
}
