/** What every Kubernetes object has; the rest of its shape depends on its kind. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

/** One served resource, such as `apps/v1 deployments`. */
export interface ResourceType {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly subresources: readonly ('status' | 'scale')[];
  /** Rises with spec changes (workloads, Ingress, …); ConfigMap, Secret, Service and Namespace have none. */
  readonly hasGeneration: boolean;
}

/** `deployments.apps`, `pods`: how a resource is named inside this room. */
export type ResourceName = string;

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: ResourceName;
  /** Frozen. For DELETED its resourceVersion is that of the deletion. */
  readonly object: KubeObject;
  /** The object before this event; undefined for ADDED. Lets a watch with selectors see what left its selection. */
  readonly previous: KubeObject | undefined;
  readonly revision: number;
}

/**
 * The cluster's memory: one monotonic revision over all resources, every write durable before it is visible.
 * Objects that go out are frozen; objects that come in are copied. Synchronous: there is one process.
 * It knows nothing of kinds: defaulting, validation and immutability are the API's business; the controllers
 * and the kubelet write through the same functions.
 */
export interface ResourceStore {
  readonly revision: number;
  get(resource: ResourceName, namespace: string | undefined, name: string): KubeObject | undefined;
  /** In order of namespace and name. */
  list(resource: ResourceName, namespace?: string): readonly KubeObject[];
  /** Sets creationTimestamp, resourceVersion and, unless one is given, uid. @throws ClusterFault ALREADY_EXISTS */
  create(resource: ResourceName, object: KubeObject): KubeObject;
  /**
   * Replaces. A non-empty `metadata.resourceVersion` must be the stored one.
   * A write that changes nothing writes nothing and gives back the stored object.
   * @throws ClusterFault CONFLICT, NOT_FOUND
   */
  update(resource: ResourceName, object: KubeObject): KubeObject;
  /** Read, change a copy, write, again on conflict: for controllers. undefined from `change`: leave it. */
  modify(
    resource: ResourceName,
    namespace: string | undefined,
    name: string,
    change: (object: KubeObject) => KubeObject | undefined,
  ): KubeObject | undefined;
  /**
   * Takes the object out at once, whatever its finalizers: the graceful protocol (deletionTimestamp, finalizers,
   * grace) is in `api/deletion`, which calls this last. @throws ClusterFault NOT_FOUND
   */
  remove(resource: ResourceName, namespace: string | undefined, name: string): KubeObject;
  /** Events after `fromRevision` (default: from now), in order. @throws ClusterFault EXPIRED when it is compacted away. */
  watch(listener: (event: WatchEvent) => void, fromRevision?: number): () => void;
  close(): void;
}
