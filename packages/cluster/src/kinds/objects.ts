import type { KubeObject, ObjectMeta, ResourceStore, WatchEvent } from '../store/types.ts';
import type { HorizontalPodAutoscaler } from './autoscaling.ts';
import type { CronJob, Job } from './batch.ts';
import type { ConfigMap, KubeEvent, Lease, Namespace, Node, Secret, ServiceAccount } from './core.ts';
import type { Endpoints, EndpointSlice, Ingress, IngressClass, NetworkPolicy, Service } from './network.ts';
import type { Pod } from './pod.ts';
import type { PodDisruptionBudget } from './policy.ts';
import type { LimitRange, PriorityClass, ResourceQuota, RuntimeClass } from './quota.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from './storage.ts';
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from './workloads.ts';

/** The resources whose shape this room knows; the store serves others as well. */
export interface Kinds {
  pods: Pod;
  services: Service;
  endpoints: Endpoints;
  configmaps: ConfigMap;
  secrets: Secret;
  serviceaccounts: ServiceAccount;
  namespaces: Namespace;
  nodes: Node;
  events: KubeEvent;
  persistentvolumes: PersistentVolume;
  persistentvolumeclaims: PersistentVolumeClaim;
  'horizontalpodautoscalers.autoscaling': HorizontalPodAutoscaler;
  resourcequotas: ResourceQuota;
  limitranges: LimitRange;
  'priorityclasses.scheduling.k8s.io': PriorityClass;
  'runtimeclasses.node.k8s.io': RuntimeClass;
  'deployments.apps': Deployment;
  'replicasets.apps': ReplicaSet;
  'statefulsets.apps': StatefulSet;
  'controllerrevisions.apps': ControllerRevision;
  'daemonsets.apps': DaemonSet;
  replicationcontrollers: ReplicationController;
  'poddisruptionbudgets.policy': PodDisruptionBudget;
  'jobs.batch': Job;
  'cronjobs.batch': CronJob;
  'endpointslices.discovery.k8s.io': EndpointSlice;
  'ingresses.networking.k8s.io': Ingress;
  'ingressclasses.networking.k8s.io': IngressClass;
  'networkpolicies.networking.k8s.io': NetworkPolicy;
  'storageclasses.storage.k8s.io': StorageClass;
  'leases.coordination.k8s.io': Lease;
}

export type KnownResource = keyof Kinds;

/** An object to be created: the store fills in the rest of its metadata. */
export type Draft<T extends { metadata: ObjectMeta }> = Omit<T, 'metadata'> & {
  metadata: Omit<ObjectMeta, 'uid' | 'resourceVersion' | 'creationTimestamp'>;
};

/** The store seen through known types, for controllers and the kubelet. */
export interface Objects {
  readonly store: ResourceStore;
  get<R extends KnownResource>(
    resource: R,
    namespace: string | undefined,
    name: string,
  ): Kinds[R] | undefined;
  list<R extends KnownResource>(resource: R, namespace?: string): readonly Kinds[R][];
  create<R extends KnownResource>(resource: R, object: Draft<Kinds[R]>): Kinds[R];
  /**
   * Changes a copy in place and stores it, again on conflict. `false` from `change` leaves the object alone. A change
   * of the specification raises the generation of objects that have one. undefined: there is no such object.
   */
  modify<R extends KnownResource>(
    resource: R,
    namespace: string | undefined,
    name: string,
    change: (object: Kinds[R]) => false | void,
  ): Kinds[R] | undefined;
}

/** Drops members that are undefined, which JSON does not know and the store should not see. */
function plain(object: unknown): KubeObject {
  return JSON.parse(JSON.stringify(object)) as KubeObject;
}

/** Where a pod was put is nothing that anybody wished for. */
const wishes = ({ spec }: KubeObject) => JSON.stringify({ ...spec, nodeName: undefined });

const sameSpec = (a: KubeObject, b: KubeObject) => wishes(a) === wishes(b);

function withGeneration(before: KubeObject, after: KubeObject): KubeObject {
  const { generation } = before.metadata;
  if (generation !== undefined && !sameSpec(before, after)) after.metadata.generation = generation + 1;
  return after;
}

export function typedObjects(store: ResourceStore): Objects {
  return {
    store,
    get: (resource, namespace, name) => store.get(resource, namespace, name) as never,
    list: (resource, namespace) => store.list(resource, namespace) as never,
    create: (resource, object) => store.create(resource, plain(object)) as never,
    modify: (resource, namespace, name, change) =>
      store.modify(resource, namespace, name, (current) => {
        const copy = structuredClone(current);
        if (change(copy as never) === false) return undefined;
        return withGeneration(current, plain(copy));
      }) as never,
  };
}

/** The object of an event, when the event is about that resource. */
export function objectOf<R extends KnownResource>(event: WatchEvent, resource: R): Kinds[R] | undefined {
  return event.resource === resource ? (event.object as never) : undefined;
}
