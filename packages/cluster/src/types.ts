import type { Clock, Logger } from '@updraft/kit';
import type { Image, ImageStore } from '@updraft/oci';
import type { PlatformNetwork, Runtime } from '@updraft/pods';

/** How the kubelet gets an image: the store first, then whoever the platform knows (remote registry, stand-in). */
export interface ImageProvider {
  /**
   * @param credentials the `auths` of the pod's imagePullSecrets: registry host -> credentials.
   * @throws Fault IMAGE_NOT_FOUND, IMAGE_FORBIDDEN, IMAGE_PULL_FAILED
   */
  provide(
    reference: string,
    options: {
      policy: 'Always' | 'IfNotPresent' | 'Never';
      credentials: Readonly<Record<string, { username: string; password: string }>>;
      signal?: AbortSignal;
    },
  ): Promise<Image>;
}

/** A part of the host that pods get only where whoever starts the platform says so. */
export const GRANTS = ['hostPath', 'hostNetwork', 'privileged'] as const;
export type Grant = (typeof GRANTS)[number];

export interface ClusterConfig {
  /** State: database, certificates, volumes. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runtime: Runtime;
  readonly network: PlatformNetwork;
  readonly store: ImageStore;
  readonly images: ImageProvider;
  /** Where the API server listens: loopback and the bridge, this port, else the next free one. */
  readonly apiPort: number;
  /** Ports that the ingress tries in turn on loopback; the first free one is used on the bridge as well. */
  readonly ingressPorts: readonly number[];
  /** The same for HTTPS. Absent or none free: HTTPS goes by the ingress's one port, which understands both. */
  readonly ingressTlsPorts?: readonly number[];
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** Default: none. */
  readonly grants?: readonly Grant[];
  readonly version: string;
}

/** A running cluster. */
export interface Cluster {
  /** What clients need, base64 as in a kubeconfig (`*-data`); the client's is another one before it ends. */
  readonly credentials: {
    readonly certificateAuthorityData: string;
    readonly clientCertificateData: string;
    readonly clientKeyData: string;
  };
  readonly apiPort: number;
  readonly ingressPort: number;
  /** `ingressPort` when no other was free. */
  readonly ingressTlsPort: number;
  /** A kubeconfig (YAML) for the given host name or address of the API server. */
  kubeconfig(host: string): string;
  /** Is there a namespace of this name, one that is being removed included? */
  hasNamespace(name: string): boolean;
  counts(): { nodes: number; pods: number; readyPods: number };
  /** Ends the servers and every pod; the objects stay and come back with the next start. */
  stop(): Promise<void>;
}
