/**
 * An embedded Kubernetes: the store of its objects, its API as unmodified clients speak it, the controllers and the
 * kubelet that make objects real, and the ingress.
 * @module
 */
export { CLUSTER_CODES, ClusterFault } from './fault.ts';
export type { ClusterCode } from './fault.ts';
export { createCluster } from './cluster.ts';
export { createApiServer } from './api/server.ts';
export type { ApiServer, ApiServerOptions } from './api/server.ts';
export { base64, createCredentials, kubeconfigYaml } from './api/credentials.ts';
export type { CredentialOptions, Credentials } from './api/credentials.ts';
export { requestDeletion } from './api/deletion.ts';
export type { Deletion, DeletionOptions, DeletionTarget } from './api/deletion.ts';
export type { ExecOptions, KubeletPort, LogOptions } from './api/ports.ts';
export type { TokenIssuer, TokenRequest } from './api/tokens.ts';
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
export { GRANTS } from './types.ts';
export type { Cluster, ClusterConfig, Grant, ImageProvider } from './types.ts';
