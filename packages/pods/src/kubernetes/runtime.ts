import type { Clock, Logger } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
import type { Pod, Runtime } from '../types.ts';
import { createClusterApi } from './api.ts';
import type { ClusterApi } from './api.ts';
import { ClusterCredentials } from './credentials.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { NAME_ANNOTATION, PLATFORM_LABEL, objectName } from './manifest.ts';
import { KubernetesPod, removeObjects } from './pod.ts';
import type { PodObject } from './pod-status.ts';

export interface KubernetesRuntimeOptions {
  /** Of the platform: pods of others in the same namespace are never touched. */
  readonly id: string;
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What exec plugins of the kubeconfig get. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: the context's, else `default`. */
  readonly namespace?: string;
  /** Moves files in and out; has `sh` and `tar`. */
  readonly helperImage: string;
  /** Default: 10 minutes. */
  readonly startsWithinMs?: number;
  /** Until a node takes a pod. Default: 3 minutes. */
  readonly scheduledWithinMs?: number;
}

export interface KubernetesRuntime extends Runtime {
  /** Ends connections; pods stay. */
  close(): void;
}

/**
 * Pods of any cluster, by its API alone. A pod's main container waits; what is started in it are processes there, so they
 * share its files and see each other. Everything carries the platform's label: `sweep` removes what has it and is not
 * known here.
 */
export function createKubernetesRuntime(options: KubernetesRuntimeOptions): KubernetesRuntime {
  const { id, access, clock, logger, env, helperImage } = options;
  const api = createClusterApi(access, new ClusterCredentials(access, { clock, env }));
  const namespace = encodeURIComponent(options.namespace ?? access.namespace ?? 'default');
  const place = {
    id,
    api,
    clock,
    namespace,
    helperImage,
    startsWithinMs: options.startsWithinMs ?? 600_000,
    scheduledWithinMs: options.scheduledWithinMs ?? 180_000,
  };
  const pods = new Map<string, Pod>();
  return {
    kind: 'kubernetes',
    pulls: true,
    list: () => [...pods.values()],
    adopt: async () => undefined,
    async createPod(spec, waiting) {
      requireName('pod', spec.name);
      if (pods.has(spec.name)) throw new PodsFault('NAME_TAKEN', `a pod ${spec.name} exists`);
      const pod = new KubernetesPod(place, spec, () => pods.delete(spec.name));
      pods.set(spec.name, pod);
      if (spec.plan) await pod.make(spec.plan, waiting);
      return pod;
    },
    async sweep() {
      const known = () => new Set([...pods.keys()].map((name) => objectName(id, name)));
      const removed = await sweepNamespace(api, { namespace, id, known });
      if (removed.length > 0)
        logger.log('info', 'swept pods of a dead daemon', { cluster: access.name, removed });
      return { removed };
    },
    close: () => api.close(),
  };
}

interface ObjectList {
  readonly items: readonly PodObject[];
}

async function sweepNamespace(
  api: ClusterApi,
  { namespace, id, ...place }: { namespace: string; id: string; known: () => ReadonlySet<string> },
): Promise<readonly string[]> {
  const selector = `?labelSelector=${encodeURIComponent(`${PLATFORM_LABEL}=${id}`)}`;
  const list = async (kind: string) => {
    const { items } = await api.call<ObjectList>('GET', `/api/v1/namespaces/${namespace}/${kind}${selector}`);
    return items;
  };
  const [pods, secrets] = await Promise.all([list('pods'), list('secrets')]);
  // Only now: one that was made while the cluster was asked is known by now.
  const known = place.known();
  const dead = pods.filter(({ metadata }) => !known.has(metadata.name));
  // A secret is named after its pod.
  const isOfKnown = (name: string) => [...known].some((pod) => name.startsWith(`${pod}-`));
  const left = secrets.map(({ metadata }) => metadata.name).filter((name) => !isOfKnown(name));
  for (const { metadata } of dead) await removeObjects(api, { namespace, pod: metadata.name, secrets: [] });
  await removeObjects(api, { namespace, secrets: left });
  return dead.map(({ metadata }) => metadata.annotations?.[NAME_ANNOTATION] ?? metadata.name);
}
