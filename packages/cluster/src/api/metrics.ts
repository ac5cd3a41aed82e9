import { timestamp } from '@updraft/kit';
import type { Node } from '../kinds/core.ts';
import type { Pod } from '../kinds/pod.ts';
import type { PodUsage, Usages } from '../metrics/usage.ts';
import type { KubeObject } from '../store/types.ts';
import type { Answer, ApiContext } from './context.ts';
import type { ApiRequest } from './request.ts';
import { parseLabelSelector } from './selectors.ts';
import { ApiFault, methodNotAllowed, notFound, unknownPath } from './status.ts';
import type { Target } from './target.ts';

/** The group-version by which `kubectl top` and other clients ask what is used. */
export const METRICS = 'metrics.k8s.io/v1beta1';

/** GET of nodes and pods as they are now: measured, not kept. @throws ApiFault 404, 405, 503 */
export async function metrics(context: ApiContext, request: ApiRequest, target: Target): Promise<Answer> {
  const { plural, name } = target;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  if ((plural !== 'pods' && plural !== 'nodes') || target.subresource !== undefined) throw unknownPath();
  const items = await measure(context, plural, selected(context, request, target));
  if (name === undefined) {
    const kind = plural === 'pods' ? 'PodMetricsList' : 'NodeMetricsList';
    return { code: 200, body: { kind, apiVersion: METRICS, metadata: {}, items } };
  }
  return { code: 200, body: items[0] ?? missing(target, name) };
}

function selected(
  { store }: ApiContext,
  { query }: ApiRequest,
  { plural, namespace, name }: Target,
): KubeObject[] {
  const selects = parseLabelSelector(query.get('labelSelector') ?? '');
  return store
    .list(plural, namespace)
    .filter(({ metadata }) => (name === undefined ? selects(metadata.labels ?? {}) : metadata.name === name));
}

async function measure(
  { kubelet }: ApiContext,
  plural: 'pods' | 'nodes',
  objects: readonly KubeObject[],
): Promise<object[]> {
  const port = kubelet.metrics;
  if (!port) throw new ApiFault(503, 'ServiceUnavailable', 'nobody measures what pods use here');
  const usages = await (plural === 'pods'
    ? port.usage(objects.filter(isRunning) as unknown as readonly Pod[])
    : port.nodeUsage(objects as unknown as readonly Node[]));
  return measured(objects, usages, plural);
}

function missing({ plural, namespace }: Target, name: string): never {
  const subject = { group: 'metrics.k8s.io', plural, kind: plural === 'pods' ? 'PodMetrics' : 'NodeMetrics' };
  throw notFound(subject, namespace === undefined ? name : `${namespace}/${name}`);
}

const isRunning = ({ status }: KubeObject) => status?.['phase'] === 'Running';

function measured(objects: readonly KubeObject[], usages: Usages, plural: 'pods' | 'nodes'): object[] {
  return objects.flatMap(({ metadata }) => {
    const usage = usages.get(metadata.uid);
    if (!usage) return [];
    const { name, namespace, labels } = metadata;
    const head = {
      kind: plural === 'pods' ? 'PodMetrics' : 'NodeMetrics',
      apiVersion: METRICS,
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        creationTimestamp: timestamp(usage.atMs),
        ...(labels ? { labels } : {}),
      },
      timestamp: timestamp(usage.atMs),
      window: `${(usage.windowMs / 1000).toFixed(3)}s`,
    };
    const containers = containersOf(usage);
    return [plural === 'pods' ? { ...head, containers } : { ...head, usage: containers[0]?.usage ?? {} }];
  });
}

function containersOf({ containers }: PodUsage) {
  return containers.map(({ name, cpuMilli, memoryBytes }) => ({
    name,
    usage: {
      cpu: `${Math.round(cpuMilli * 1_000_000)}n`,
      memory: `${Math.ceil(memoryBytes / 1024)}Ki`,
    },
  }));
}
