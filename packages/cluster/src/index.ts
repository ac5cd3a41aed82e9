/**
 * An embedded Kubernetes: the store of its objects, its API as unmodified clients speak it, the controllers and the
 * kubelet that make objects real, and the ingress.
 * @module
 */
export { CLUSTER_CODES, ClusterFault } from './fault.ts';
export type { ClusterCode } from './fault.ts';
export { openResourceStore } from './store/store.ts';
export type { ResourceStoreOptions } from './store/store.ts';
export type {
  KubeObject,
  ObjectMeta,
  ResourceName,
  ResourceStore,
  ResourceType,
  WatchEvent,
} from './store/types.ts';
export type { Cluster, ClusterConfig, ImageProvider } from './types.ts';
