/**
 * What runs containers: PodSpec, the Runtime interface and its suite, the platform's network.
 * @module
 */
export type {
  AdoptedPod,
  Container,
  ContainerExit,
  ContainerSpec,
  ContainerStats,
  ContainerStreams,
  DnsAnswer,
  DnsZone,
  LeftContainer,
  ImageReference,
  Mount,
  PlatformNetwork,
  Pod,
  PodFiles,
  PodPlan,
  PodSpec,
  Process,
  Resources,
  RootFs,
  Runtime,
  SecurityContext,
  ServiceForward,
  TrafficPeer,
  TrafficPorts,
  TrafficRule,
  TrafficRules,
} from './types.ts';
export { PodsFault } from './fault.ts';
export type { PodsFaultCode } from './fault.ts';
export { createNetwork } from './network/platform-network.ts';
export type { BridgeNetwork, NetworkOptions } from './network/platform-network.ts';
export { createRuncRuntime } from './runc/runtime.ts';
export type { RuncRuntimeOptions } from './runc/runtime.ts';
export { createHostRuntime } from './host/runtime.ts';
export type { HostRuntimeOptions } from './host/runtime.ts';
export { inClusterAccess, readKubeconfig } from './kubernetes/kubeconfig.ts';
export type { ClusterAccess, ExecPlugin } from './kubernetes/kubeconfig.ts';
export { createKubernetesRuntime } from './kubernetes/runtime.ts';
export type { KubernetesRuntime, KubernetesRuntimeOptions } from './kubernetes/runtime.ts';
export { ClusterCredentials } from './kubernetes/credentials.ts';
export type { ClusterIdentity, CredentialOptions } from './kubernetes/credentials.ts';
export { mountOverlay } from './runc/overlay.ts';
export type { Overlay, OverlayOptions } from './runc/overlay.ts';
export { connectInside, connectTo } from './network/inner-connection.ts';
export { statusAt } from './file-status.ts';
export type { FileStatus } from './file-status.ts';
export { bindMount, carryMount, makeNode, readAttributes, unmount, writeAttribute } from './system-calls.ts';
