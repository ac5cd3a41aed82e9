/**
 * What runs containers: PodSpec, the Runtime interface and its suite, the platform's network.
 * @module
 */
export type {
  Container,
  ContainerExit,
  ContainerSpec,
  ContainerStats,
  ContainerStreams,
  DnsAnswer,
  DnsZone,
  Mount,
  PlatformNetwork,
  Pod,
  PodSpec,
  Process,
  Resources,
  RootFs,
  Runtime,
  SecurityContext,
  ServiceForward,
} from './types.ts';
